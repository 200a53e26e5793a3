-- breaker: the circuit breaker before Discord, as it is stored. While it is open, no job
-- sends a request.
--
--   {until, why, token (the mark of the token that was refused), since and times (how long
--   Discord has been unavailable), first and refused (requests refused in ten minutes)}
--
-- Returns nothing: definitions only.
--
-- Defines: read_breaker(text), paused_until(breaker, token)
local function read_breaker(text)
  local breaker = text and text ~= '' and cjson.decode(text) or {}
  return type(breaker) == 'table' and breaker or { ['until'] = breaker }
end

-- A pause for a refused token ends with that token.
local function paused_until(breaker, token)
  if breaker.token and breaker.token ~= token then return 0 end
  return breaker['until'] or 0
end
