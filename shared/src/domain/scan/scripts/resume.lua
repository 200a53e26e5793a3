-- resume: let jobs ask Discord again.
--
-- KEYS[1]  discord:pace:breaker  STRING  why and until when Discord is left alone
-- KEYS[2]  any                   HASH    another's, which running jobs look at
-- ARGV[1]  field  there
-- ARGV[2]  why    only if this is why; nothing for any reason
--
-- Returns 1 if Discord was to be left alone, 0 if not.
local text = redis.call('GET', KEYS[1])
if not text then return 0 end
local breaker = read_breaker(text)
if ARGV[2] ~= '' and breaker.why ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
