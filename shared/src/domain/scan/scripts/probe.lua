-- probe: stores what was found inside the files of clips. A clip that turned out to be too
-- short is no longer listed.
--
-- KEYS[1]  scan:channels:{guild}  HASH    channel id -> record
-- KEYS[2]  clip:recent:{guild}    ZSET    listed rows by time
-- KEYS[3]  clip:channel:{guild}   ZSET    listed rows in order, and marks
-- KEYS[4]  clip:forwards:{guild}  HASH    clip id -> places of its forwards
-- KEYS[5]  clip:index:{guild}     ZSET    what listed rows are found by
-- KEYS[…]  clip:record:{row}      STRING  of each member
-- ARGV[1]  request  JSON: members; min (milliseconds, of clips whose scan named none)
-- ARGV[2…] what was found, JSON, of each member
--
-- Returns {how many were stored, how many turned out to be too short}.
--
-- Needs: base (call, push, start, tx.keys)
-- Needs: rows (clip_of, counts, recount, terms_of, tx.before)
-- Needs: rows (tx.new_terms, tx.old_terms, unlist, write_rows)
-- Needs: forwards (forward_at, read_forwards, tx.forwards, write_forwards)
-- Needs: records (with_probe, write_records)
local request = cjson.decode(ARGV[1])
start()
local keys = { unpack(KEYS, 6) }
local records = call('MGET', unpack(keys))
local members = {}
for _, member in ipairs(request.members) do push(members, member) end
for _, member in ipairs(request.members) do push(members, '>' .. clip_of(member)) end
local listed, ids = call('ZMSCORE', tx.keys.order, unpack(members)), {}
for n, member in ipairs(request.members) do
  if listed[#request.members + n] then push(ids, clip_of(member)) end
end
read_forwards(ids)

local written, n_short = { records = {}, short = {}, stale = {} }, 0
for n, member in ipairs(request.members) do
  local record = records[n]
  if record and listed[n] then
    local text, terms, ms = with_probe(record, ARGV[n + 1])
    local least = tonumber(string.match(terms, '%f[%S]~(%d+)')) or request.min or 0
    local id = clip_of(member)
    local place = forward_at(id, member)
    tx.old_terms[member] = terms_of(record)
    if ms and ms < least then
      n_short = n_short + 1
      push(written.short, keys[n], text)
      unlist(member)
      if place then table.remove(tx.forwards[id], place) end
    else
      push(written.records, keys[n], text)
      tx.before[member], tx.new_terms[member] = true, terms
      if place then tx.forwards[id][place][3] = terms end
    end
  end
end
write_records(written, {}, 0)
local marks, unmarked = {}, {}
write_forwards(marks, unmarked)
for channel, more in pairs(counts()) do recount(channel, more) end
write_rows(marks, unmarked)
return { #written.records / 2, n_short }
