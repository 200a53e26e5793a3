-- slots: the window in thirty counts, each of a stretch of time.
--
-- A slot counts until all of it is out of the window. So no stretch as long as the
-- window ever holds more than the limit, and room comes back up to a thirtieth late.
--
-- Returns the locals `state slots newest moment` and `leaves(slot)`.
local slot_ms = math.ceil(window / 30)
local state = state_of('slots:' .. whole(slot_ms))
local slots = {}

local function leaves(slot) return (slot + 1) * slot_ms + window end

-- Time does not go back: a caller whose clock is behind counts in the newest slot.
local newest = math.floor(now / slot_ms)
for _, entry in ipairs(state.slots or {}) do newest = math.max(newest, entry[1]) end
local moment = math.max(now, newest * slot_ms)
for _, entry in ipairs(state.slots or {}) do
  if leaves(entry[1]) > moment and entry[2] > 0 then table.insert(slots, entry) end
end
state.slots = slots
