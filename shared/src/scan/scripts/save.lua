-- save: store a page's clips together with the record that says it was read.
--
-- KEYS[1]  scan:channels:{guild}   HASH  channel id -> record
-- KEYS[2]  clip:records:{channel}  HASH  clip id -> clip
-- KEYS[3]  clip:recent:{guild}     ZSET  members by time
-- KEYS[4]  clip:channel:{guild}    ZSET  the same members in order
-- KEYS[5]  only with `also`        HASH  another's, such as the job's progress
-- ARGV[1]  request  JSON: channel, record (none: clips alone), clips [{id, message,
--                   posted, forward, member}], also {field, value}
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

-- A forwarded clip has the id of the one it repeats: that stays where it was first.
local forwards, elsewhere = {}, {}
for _, clip in ipairs(request.clips) do
  if clip.forward then forwards[#forwards + 1] = clip.id end
end
if #forwards > 0 then
  for n, text in ipairs(redis.call('HMGET', KEYS[2], unpack(forwards))) do
    if text then elsewhere[forwards[n]] = cjson.decode(text).messageId end
  end
end

-- A message counts once: when none of its clips is in the order yet.
local clips, records, recent, ordered, members = {}, {}, {}, {}, {}
for n, clip in ipairs(request.clips) do
  local original = elsewhere[clip.id]
  if not original or original == clip.message then
    clips[#clips + 1], members[#members + 1] = clip, clip.member
    records[#records + 1], records[#records + 2] = clip.id, ARGV[n + 1]
    recent[#recent + 1], recent[#recent + 2] = string.format('%.0f', clip.posted), clip.member
    ordered[#ordered + 1], ordered[#ordered + 2] = 0, clip.member
  end
end
local new = 0
if #members > 0 then
  local known, counted = {}, {}
  for n, score in ipairs(redis.call('ZMSCORE', KEYS[4], unpack(members))) do
    if score then known[clips[n].message] = true end
  end
  for _, clip in ipairs(clips) do
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
if request.also then redis.call('HSET', KEYS[5], request.also.field, request.also.value) end
-- The order last: a script that dies before it leaves the messages to be counted.
if #members > 0 then
  redis.call('ZADD', KEYS[3], unpack(recent))
  redis.call('ZADD', KEYS[4], unpack(ordered))
end
return { word, new, (record or stored or {}).messageCount or 0 }
