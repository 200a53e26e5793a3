-- call: the arguments of every limiter script, and the state that it reads first, in one command.
--
-- KEYS[1]  ratelimit:{action}:{caller}  STRING  the limiter's state, JSON
-- KEYS[2]  ratelimit:limit:{action}     STRING  a limit that replaces ARGV[4]
-- KEYS[3]  ratelimit:deny:{caller}      STRING  when the caller's block ends
-- ARGV[1]  now     unix milliseconds, by the caller's clock
-- ARGV[2]  id      identifies this call; the same if it is sent again
-- ARGV[3]  weight  0 only checks
-- ARGV[4]  limit
-- ARGV[5]  window  milliseconds
--
-- Times are those of the caller's clock. `tx.moment` is the state's own time, which follows the
-- callers' clocks, except that a wrong clock does not move it.
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

-- Returns whether this caller's clock is ahead of the clocks that wrote the state. The state
-- still exists, so by the server's clock it has not ended; by this clock it ended a second ago
-- or longer.
local function is_ahead(ends) return ends + 1000 <= now end

-- Returns the state with this tag, or an empty one. The state of another algorithm or another
-- window is ignored and overwritten.
local function state_of(tag)
  local read, state = pcall(cjson.decode, stored or '')
  if read and type(state) == 'table' and state.tag == tag then return state end
  return { tag = tag, ids = {} }
end

local function whole(number) return string.format('%.0f', number) end

-- Saves the state until `ends`, when nothing in it counts anymore.
local function save(state, ends)
  local left = math.max(ends - math.min(now, tx.moment), 1)
  redis.call('SET', KEYS[1], cjson.encode(state), 'PX', whole(left))
end
