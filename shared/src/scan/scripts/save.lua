-- save: store a page's clips together with the record that says it was read.
--
-- KEYS[1]  scan:channels:{guild}   HASH  channel id -> record
-- KEYS[2]  clip:records:{channel}  HASH  clip id -> clip
-- KEYS[3]  clip:recent:{guild}     ZSET  clip ids by time
-- KEYS[4]  clip:channel:{guild}    ZSET  clips of a channel in order
-- ARGV[1]  request  JSON: channel, record (none: clips alone), clips [{id, message,
--                   posted, member}]
-- ARGV[2…] each clip as JSON, in that order
--
-- Returns {`saved`, messages new with clips, record's count of them}; {`dup`, …}
-- when this very page was saved before; {`lost`, 0, 0} when the writer is not the
-- record's owner any more.
local request = cjson.decode(ARGV[1])
local stored = redis.call('HGET', KEYS[1], request.channel)
stored = stored and cjson.decode(stored)
local record, word = request.record, 'saved'
if record then
  local owner = stored and stored.owner
  if not owner or owner.job ~= record.owner.job or owner.fence ~= record.owner.fence then
    return { 'lost', 0, 0 }
  end
  if stored.revision >= record.revision then word, record = 'dup', nil end
else
  record = stored or { revision = 0 }
end

-- A message counts once: when none of its clips is in the order yet.
local records, recent, ordered, members = {}, {}, {}, {}
for n, clip in ipairs(request.clips) do
  members[n] = clip.member
  records[2 * n - 1], records[2 * n] = clip.id, ARGV[n + 1]
  recent[2 * n - 1], recent[2 * n] = string.format('%.0f', clip.posted), clip.id
  ordered[2 * n - 1], ordered[2 * n] = 0, clip.member
end
local new = 0
if #members > 0 then
  local known, counted = {}, {}
  for n, score in ipairs(redis.call('ZMSCORE', KEYS[4], unpack(members))) do
    if score then known[request.clips[n].message] = true end
  end
  for _, clip in ipairs(request.clips) do
    if not known[clip.message] and not counted[clip.message] then
      counted[clip.message] = true
      new = new + 1
    end
  end
  redis.call('HSET', KEYS[2], unpack(records))
end
if record then
  record.messageCount = (stored and stored.messageCount or 0) + new
  redis.call('HSET', KEYS[1], request.channel, cjson.encode(record))
end
-- The order last: a script that dies before it leaves the messages to be counted.
if #members > 0 then
  redis.call('ZADD', KEYS[3], unpack(recent))
  redis.call('ZADD', KEYS[4], unpack(ordered))
end
return { word, new, (record or stored or {}).messageCount or 0 }
