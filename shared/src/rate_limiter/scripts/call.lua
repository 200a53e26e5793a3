-- call: what every script is given and reads first, all in one command.
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
-- Returns the locals `now id weight limit window override denied stored`.
local now, id, weight = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local limit, window = tonumber(ARGV[4]), tonumber(ARGV[5])
local stored, override, denied = unpack(redis.call('MGET', KEYS[1], KEYS[2], KEYS[3]))
override, denied = tonumber(override or nil), tonumber(denied or nil)
limit = override or limit

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
  redis.call('SET', KEYS[1], cjson.encode(state), 'PX', whole(math.max(ends - now, 1)))
end

-- The newest calls by their ids. One sent twice is found here and counts once; after
-- 32 others it would count twice, which admits less, never more.
local function is_known(state)
  for _, known in ipairs(state.ids) do
    if known == id then return true end
  end
  return false
end

local function remember(state)
  table.insert(state.ids, id)
  if #state.ids > 32 then table.remove(state.ids, 1) end
end

local function answer(word, remaining, reset)
  return { word, limit, math.max(remaining, 0), math.ceil(reset) }
end
