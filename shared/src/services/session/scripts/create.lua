-- create: stores a session, and adds it to those of its user.
--
-- KEYS[1]  session:{kind}:{id}   STRING  the session
-- KEYS[2]  session:user:{user}   ZSET    names of the user's sessions, by when they end
-- ARGV[1]  now    unix milliseconds
-- ARGV[2]  until  unix milliseconds the session ends at the latest
-- ARGV[3]  idle   milliseconds after which an unused session ends
-- ARGV[4]  name   `{kind}:{id}`
-- ARGV[5]  text   the session as JSON
-- ARGV[6]  most   the most sessions of a user
-- ARGV[7]  keep   milliseconds the set is kept after its newest session began
--
-- Returns the names of the oldest sessions beyond `most`, for the caller to remove.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[3])
local beyond = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[6])
if beyond <= 0 then return {} end
-- Of those begun in the same millisecond, the new one is not the oldest.
local oldest = {}
for _, name in ipairs(redis.call('ZRANGE', KEYS[2], 0, beyond)) do
  if name ~= ARGV[4] and #oldest < beyond then oldest[#oldest + 1] = name end
end
return oldest
