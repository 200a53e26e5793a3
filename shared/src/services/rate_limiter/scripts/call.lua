-- call: what every script of the limiter is given, and reads first, all in one command.
--
-- KEYS[1]  ratelimit:{action}:{caller}  STRING  the limiter's state, JSON
-- KEYS[2]  ratelimit:limit:{action}     STRING  a limit in place of the caller's
-- KEYS[3]  ratelimit:deny:{caller}      STRING  until when the caller is denied
-- ARGV[1]  now     unix milliseconds, the caller's
-- ARGV[2]  id      of this call; the same when it is sent again
-- ARGV[3]  weight  0 only looks
-- ARGV[4]  limit
-- ARGV[5]  window  milliseconds
--
-- Times are the caller's. `tx.moment` is the time of the state, which follows: a caller whose
-- clock is wrong does not move it.
--
-- Returns nothing: definitions only.
--
-- Defines: now, id, weight, limit, window, override, denied, tx, tx.moment
-- Defines: is_ahead(ends), state_of(tag), whole(number), save(state, ends)
local now, id, weight = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local limit, window = tonumber(ARGV[4]), tonumber(ARGV[5])
local stored, override, denied = unpack(redis.call('MGET', KEYS[1], KEYS[2], KEYS[3]))
override, denied = tonumber(override or nil), tonumber(denied or nil)
limit = override or limit
local tx = {}
tx.moment = now

-- Whether the clock here is ahead of those that wrote the state: it is there still, so on
-- the server's clock it has not ended, and yet it ends here a second ago or longer.
local function is_ahead(ends) return ends + 1000 <= now end

-- The state under this tag, or an empty one: what another algorithm or another window
-- left is not understood and forgotten.
local function state_of(tag)
  local read, state = pcall(cjson.decode, stored or '')
  if read and type(state) == 'table' and state.tag == tag then return state end
  return { tag = tag, ids = {} }
end

local function whole(number) return string.format('%.0f', number) end

-- Kept until `ends`, when nothing in it counts any more.
local function save(state, ends)
  local left = math.max(ends - math.min(now, tx.moment), 1)
  redis.call('SET', KEYS[1], cjson.encode(state), 'PX', whole(left))
end
