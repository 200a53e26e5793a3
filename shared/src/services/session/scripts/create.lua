-- create: stores a session, and adds it to its user's sessions.
--
-- KEYS[1]  session:{kind}:{id}   STRING  the session
-- KEYS[2]  session:user:{user}   ZSET    names of the user's sessions, by their end
-- ARGV[1]  now    unix milliseconds
-- ARGV[2]  until  when the session ends at the latest, in unix milliseconds
-- ARGV[3]  idle   after how many milliseconds an unused session ends
-- ARGV[4]  name   `{kind}:{id}`
-- ARGV[5]  text   the session as JSON
-- ARGV[6]  most   the largest number of sessions of a user
-- ARGV[7]  keep   how many milliseconds the set is kept after its newest session began
--
-- Returns the names of the oldest sessions beyond `most`, for the caller to remove.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[3])
local beyond = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[6])
if beyond <= 0 then return {} end
-- Among sessions of the same millisecond, the new one is never the oldest.
local oldest = {}
for _, name in ipairs(redis.call('ZRANGE', KEYS[2], 0, beyond)) do
  if name ~= ARGV[4] and #oldest < beyond then oldest[#oldest + 1] = name end
end
return oldest
