-- resume: closes the circuit breaker, so that jobs may send Discord requests again.
--
-- KEYS[1]  discord:pace:breaker  STRING  the breaker
-- KEYS[2]  any                   HASH    where running jobs look for it
-- ARGV[1]  field  there
-- ARGV[2]  why    only if this is the reason; empty for any reason
--
-- Returns 1 if the breaker was open, 0 if not.
--
-- Needs: breaker (read_breaker)
local text = redis.call('GET', KEYS[1])
if not text then return 0 end
local breaker = read_breaker(text)
if ARGV[2] ~= '' and breaker.why ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
