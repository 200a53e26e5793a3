-- pause: have every job leave Discord alone; never for less long than before.
--
-- KEYS[1]  discord:pace:breaker  STRING  until when Discord is left alone
-- ARGV[1]  now    unix milliseconds
-- ARGV[2]  until  unix milliseconds
--
-- Returns until when Discord is left alone.
local now, ends = tonumber(ARGV[1]), tonumber(ARGV[2])
local before = tonumber(redis.call('GET', KEYS[1]) or 0)
if before >= ends then return before end
redis.call('SET', KEYS[1], ARGV[2], 'PX', string.format('%.0f', ends - now))
return ends
