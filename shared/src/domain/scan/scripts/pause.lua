-- pause: opens the circuit breaker, so that no job sends Discord a request. Never shortens a
-- pause.
--
-- KEYS[1]  discord:pace:breaker   STRING  the breaker
-- KEYS[2]  only with `field`      HASH    where running jobs look for it
-- ARGV[1]  request  JSON: now; why; wait; token (a mark); field; keep (how long the counts
--          are remembered); if Discord is unavailable, longest (its pause grows from `wait`
--          to this); for a refusal that counts, budget and window
--
-- Returns {the end of the pause, since when Discord has been unavailable or 0}.
--
-- Needs: breaker (paused_until, read_breaker)
local request = cjson.decode(ARGV[1])
local now, ends = request.now, request.now + request.wait
local breaker = read_breaker(redis.call('GET', KEYS[1]))
local before = paused_until(breaker, request.token)
local why = request.why
if why == 'away' then
  breaker.since = breaker.since or now
  if breaker.why == why and before > now then return { before, breaker.since } end
  breaker.times = (breaker.times or 0) + 1
  ends = now + math.min(request.longest, request.wait * 2 ^ math.min(breaker.times - 1, 30))
end
if request.budget then
  if now - (breaker.first or 0) >= request.window then breaker.first, breaker.refused = now, 0 end
  breaker.refused = breaker.refused + 1
  if breaker.refused >= request.budget then ends, why = breaker.first + request.window, 'refusals' end
end
if ends > before and ends > now then
  breaker['until'], breaker.why = ends, why
  breaker.token = why == 'token' and request.token or nil
else
  ends = before
end
local keep = math.max(ends - now, 0)
if breaker.times or breaker.refused then keep = keep + request.keep end
if keep == 0 then return { ends, 0 } end
local text = cjson.encode(breaker)
redis.call('SET', KEYS[1], text, 'PX', string.format('%.0f', keep))
if request.field then redis.call('HSET', KEYS[2], request.field, text) end
return { ends, breaker.since or 0 }
