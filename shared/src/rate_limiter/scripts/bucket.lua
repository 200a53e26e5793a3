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
local token = math.ceil(window * 1000 / math.max(limit, 1))
local now_us = now * 1000
local full = math.max(tonumber(state.full) or 0, now_us)

local function ms(us) return math.ceil(us / 1000) end
