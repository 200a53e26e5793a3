-- remove: removes clips from the list because a person deleted them. They are not listed
-- again, whatever is read later, and no forward takes their place.
--
-- KEYS[1]  scan:channels:{guild}  HASH    channel id -> record
-- KEYS[2]  clip:recent:{guild}    ZSET    listed rows by time
-- KEYS[3]  clip:channel:{guild}   ZSET    listed rows in order, and marks
-- KEYS[4]  clip:forwards:{guild}  HASH    clip id -> places of its forwards
-- KEYS[5]  clip:index:{guild}     ZSET    what listed rows are found by
-- KEYS[…]  clip:record:{row}      STRING  of each member
-- ARGV[1]  request  JSON: guild (its id); members; from, to (of the stretch they are in, which begins and
--          ends between messages); author (whose clips are not stored from now on)
--
-- Returns how many there are of them, also when they were removed before.
--
-- Needs: base (call, push, start)
-- Needs: rows (clip_of, counts, read_rows, recount, terms_of, tx.old_terms, unlist)
-- Needs: rows (write_rows)
local request = cjson.decode(ARGV[1])
start()
-- Whether a record is another guild's, whose channel an imported file claimed.
local function is_foreign(text)
  local json = text and string.match(text, '^[^\n]*\n[^\n]*\n(.*)$')
  local read, clip = pcall(cjson.decode, json or '{}')
  return read and clip.guildId and clip.guildId ~= request.guild
end

local marks = {}
if request.author then push(marks, '!' .. request.author) end
local n = 0
if #request.members > 0 then
  read_rows(request.from, request.to)
  local keys = { unpack(KEYS, 6) }
  local records = call('MGET', unpack(keys))
  local own = {}
  for place, member in ipairs(request.members) do
    if not is_foreign(records[place]) then push(own, keys[place]) end
    tx.old_terms[member] = terms_of(records[place])
    if unlist(member) then
      n = n + 1
      push(marks, '-' .. member, '=' .. clip_of(member))
    end
  end
  if n > 0 and #own > 0 then call('DEL', unpack(own)) end
  for channel, more in pairs(counts()) do recount(channel, more) end
end
-- Write the list last: if the script dies before this, the clips are removed again.
if #marks > 0 then write_rows(marks, {}) end
return #request.members
