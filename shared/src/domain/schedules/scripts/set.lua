-- set: stores or removes the schedule of a guild or of a channel.
--
-- KEYS[1]  schedule:rules  HASH  name -> schedule
-- KEYS[2]  schedule:due    ZSET  {name}@{revision} by the next slot
-- ARGV[1]  name  `{guild}` or `{guild}:{channel}`
-- ARGV[2]  text  the schedule as JSON; empty to remove it
-- ARGV[3]  revision
-- ARGV[4]  next  the next slot, in unix milliseconds
-- ARGV[5]  most  the largest number of schedules
--
-- Returns 1 if it was stored or removed, 0 if there was none to remove, -1 if there are too
-- many.
local name, text, revision = ARGV[1], ARGV[2], ARGV[3]
local next_slot, most = ARGV[4], tonumber(ARGV[5])
local before = redis.call('HGET', KEYS[1], name)
local old = before and cjson.decode(before).revision
if text == '' then
  if not before then return 0 end
  redis.call('HDEL', KEYS[1], name)
else
  if not before and redis.call('HLEN', KEYS[1]) >= most then return -1 end
  -- First of all, so that a schedule that is stored has a next slot even if the script dies.
  redis.call('ZADD', KEYS[2], next_slot, name .. '@' .. revision)
  redis.call('HSET', KEYS[1], name, text)
end
if old and old ~= revision then redis.call('ZREM', KEYS[2], name .. '@' .. old) end
return 1
