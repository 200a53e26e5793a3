-- bucket: tokens as the one moment at which the bucket is full again.
--
-- ARGV[6]  burst  tokens the bucket holds
--
-- In whole microseconds, which a double holds exactly and JSON, with 14 digits, does
-- not: so as text. A token takes no less time than asked.
--
-- Returns the locals `state burst token now_us full` and `ms(us)`.
local state = state_of('bucket')
local burst = tonumber(ARGV[6])
if override then burst = math.max(math.floor(burst * override / tonumber(ARGV[4])), 1) end
-- What never gets a token holds none.
if limit < 1 then burst = 0 end
local token = math.ceil(window * 1000 / math.max(limit, 1))

local function ms(us) return math.ceil(us / 1000) end

-- Time does not leap: a caller whose clock is far ahead adds no tokens for it.
local full, at = tonumber(state.full), tonumber(state.at)
if full and at and is_ahead(ms(full)) then moment = at / 1000 end
local now_us = moment * 1000
-- What was written more than a window ahead was written by a clock that is wrong.
local horizon_us = now_us + window * 1000
if not full or (at or full - burst * token) > horizon_us then full = now_us end
full = math.max(full, now_us)

local function keep(until_us)
  state.full, state.at = whole(until_us), whole(now_us)
  save(state, ms(until_us))
end
