-- slots: the window in thirty counts, each of a stretch of time.
--
-- A slot counts until all of it is out of the window. So no stretch as long as the
-- window ever holds more than the limit, and room comes back up to a thirtieth late.
--
-- Returns the locals `state slots newest` and `leaves(slot)`.
local slot_ms = math.ceil(window / 30)
local state = state_of('slots:' .. whole(slot_ms))
local slots = {}

local function leaves(slot) return (slot + 1) * slot_ms + window end

-- What lies more than a window ahead was written by a clock that is wrong.
local newest
for _, entry in ipairs(state.slots or {}) do
  if entry[1] * slot_ms <= now + window then
    table.insert(slots, entry)
    newest = math.max(newest or entry[1], entry[1])
  end
end
-- Time does not go back: a caller whose clock is behind counts in the newest slot. Nor
-- does it leap: one whose clock is far ahead counts there as well.
if not newest or not is_ahead(leaves(newest)) then
  newest = math.max(newest or 0, math.floor(now / slot_ms))
  moment = math.max(now, newest * slot_ms)
else
  moment = newest * slot_ms
end
local counting = {}
for _, entry in ipairs(slots) do
  if leaves(entry[1]) > moment and entry[2] > 0 then table.insert(counting, entry) end
end
slots = counting
state.slots = slots
