-- bucket: stores the tokens as a single time: when the bucket will be full again.
--
-- ARGV[6]  burst  tokens the bucket holds
--
-- Times are whole microseconds, which a double holds exactly. JSON numbers have only 14 digits,
-- so the times are stored as text. A token never takes less time than the limit says.
--
-- Returns nothing: definitions only.
--
-- Needs: call (limit, override, window, tx.moment, is_ahead, save, state_of, whole)
-- Defines: state, burst, token, now_us, full, ms(us), keep(until_us)
local state = state_of('bucket')
local burst = tonumber(ARGV[6])
if override then burst = math.max(math.floor(burst * override / tonumber(ARGV[4])), 1) end
-- A bucket that never gets a token holds none.
if limit < 1 then burst = 0 end
local token = math.ceil(window * 1000 / math.max(limit, 1))

local function ms(us) return math.ceil(us / 1000) end

-- Time does not jump ahead: a caller whose clock is far ahead adds no tokens.
local full, at = tonumber(state.full), tonumber(state.at)
if full and at and is_ahead(ms(full)) then tx.moment = at / 1000 end
local now_us = tx.moment * 1000
-- A time more than a window ahead was written by a wrong clock. If it is more than a bucket can
-- owe, the debt counts from now on, unless that clock is so far ahead that it uses the state's
-- time. A bucket that had only just filled up by that clock is kept, because by this clock it
-- may still be filling.
local ahead_us = full and (at or full - burst * token) - now_us - window * 1000
local was = tonumber(state.was)
if not full or ahead_us > burst * token + 1000000 then
  full, was = now_us, nil
elseif ahead_us > 0 and full > now_us + burst * token then
  full, was = math.max(was or 0, now_us) + math.max(full - (at or full), 0), nil
elseif full <= now_us then
  was = full + 1000000 > now_us and full or nil
end
state.was = was and whole(was)
full = math.max(full, now_us)

local function keep(until_us)
  state.full, state.at = whole(until_us), whole(now_us)
  save(state, ms(until_us))
end
