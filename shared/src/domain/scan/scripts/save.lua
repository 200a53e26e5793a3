-- save: stores the clips of one or more pages together with the record that says they were
-- read, and sends the events about them.
--
-- KEYS[1]  scan:channels:{guild}  HASH    channel id -> record
-- KEYS[2]  clip:recent:{guild}    ZSET    listed rows by time
-- KEYS[3]  clip:channel:{guild}   ZSET    listed rows in order, and marks
-- KEYS[4]  clip:forwards:{guild}  HASH    clip id -> places of its forwards
-- KEYS[5]  clip:index:{guild}     ZSET    what listed rows are found by
-- KEYS[…]  clip:record:{row}      STRING  of each of `clips`, then of each of `stale`
-- KEYS[…]  only with `also`       HASH    another's, such as the job's progress
-- KEYS[…]  others that `tell` and `count` name
-- ARGV[1]  request  JSON: channel; job; record (none: single messages); found (of those,
--          clips the job found before); clips [{id, posted, forward, member, author, min}];
--          stretches [{from, to}] of members that were read, and stale, the rows in them
--          that are not on the page; again (whether they may have been read before); also
--          {field, value}; watch (fields there); pace {field, now, spent} there; tell [words
--          of a command]; count [{key, place, keep}] for the clips found since the last
--          time; note (that the record is of a channel with rows beyond its cursors)
-- ARGV[2…] the record of each clip, in that order
--
-- Returns {`saved`, new clips, clips the job found, watched fields, what was sent before};
-- `dup` when this very page was saved before; `lost` when the writer is not the record's
-- owner any more.
--
-- Needs: base (call, int, push, start, tx.keys)
-- Needs: rows (add_count, counts, recount, write_rows)
-- Needs: forwards (write_forwards)
-- Needs: records (write_records)
-- Needs: page (filled, take_page, tx.marks, tx.unmarked)
local request = cjson.decode(ARGV[1])
start()
local keys, others = {}, 5 + #request.clips + #request.stale
for n = 6, others do keys[n - 5] = KEYS[n] end
local also = KEYS[others + 1]
local stored = call('HGET', tx.keys.channels, request.channel)
stored = stored and cjson.decode(stored)
local record = request.record
local work = stored and stored.works and stored.works[request.job]
local found = record and (work and work.clips or 0) or request.found

local watched, wanted = {}, request.watch or {}
if request.pace then push(wanted, request.pace.field) end
if #wanted > 0 then
  for n, value in ipairs(call('HMGET', also, unpack(wanted))) do watched[n] = value or '' end
end

if record then
  local owner = stored and stored.owner
  if not owner or owner.job ~= record.owner.job or owner.fence ~= record.owner.fence then
    return { 'lost', 0, found, watched, '' }
  end
  if stored.revision >= record.revision then return { 'dup', 0, found, watched, '' } end
end
request.again = request.again or (stored and stored.strays) or false
if not request.again then request.stretches = {} end

local texts = {}
for n = 2, #ARGV do texts[n - 1] = ARGV[n] end
local written, new = take_page(request, texts, keys)
found = found + new

-- A job of single messages has no revision: the stream refuses its events if they were sent
-- before.
local n_sent = 0
if not record then
  local reply = redis.pcall(unpack(filled(request.tell[1], found)))
  if type(reply) == 'table' and reply.err then
    return { 'dup', 0, found, watched, call('HGET', also, request.also.field) or '' }
  end
  n_sent = 1
end

write_records(written, keys, #request.clips)
write_forwards(tx.marks, tx.unmarked)
write_rows(tx.marks, tx.unmarked)

local more = counts()
record = record or stored or { revision = 0 }
local was = cjson.encode(record)
record.messageCount = stored and stored.messageCount or 0
add_count(record, more[request.channel])
local uncounted = (stored and stored.uncounted or 0) + new
local has_strays = request.note and #written.records > 0
record.strays = record.strays or (stored and stored.strays) or has_strays or nil
if record.works and record.works[request.job] then record.works[request.job].clips = found end
for channel, change in pairs(more) do
  if channel ~= request.channel then recount(channel, change) end
end
if request.count and uncounted > 0 then
  for _, place in ipairs(request.count) do
    local count = call('HINCRBY', place.key, place.place, uncounted)
    -- A place counted for the first time may be the first of its key.
    if count == uncounted then call('PEXPIRE', place.key, place.keep) end
  end
  uncounted = 0
end
record.uncounted = uncounted > 0 and uncounted or nil
for n = n_sent + 1, #request.tell do
  local words = filled(request.tell[n], found)
  -- Events that the stream refuses were sent before.
  if words then redis.pcall(unpack(words)) end
end
local fields = {}
if request.also then push(fields, request.also.field, (string.gsub(request.also.value, '"@found"', int(found)))) end
if request.pace then
  local spent = math.max(tonumber(watched[#watched]) or 0, request.pace.now) + request.pace.spent
  watched[#watched] = int(spent)
  push(fields, request.pace.field, int(spent))
end
if #fields > 0 then call('HSET', also, unpack(fields)) end
-- Write the record last: if the script dies before this, the page is saved again.
if request.record or cjson.encode(record) ~= was then
  call('HSET', tx.keys.channels, request.channel, cjson.encode(record))
end
return { 'saved', new, found, watched, '' }
