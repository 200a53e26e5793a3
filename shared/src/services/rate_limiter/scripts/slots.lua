-- slots: the window in thirty counts, each of a stretch of time.
--
-- A slot counts until all of it is out of the window. So no stretch as long as the window
-- ever holds more than the limit, and room comes back up to a thirtieth late.
--
-- Returns nothing: definitions only.
--
-- Needs: call (now, window, tx.moment, is_ahead, state_of, whole)
-- Defines: slot_ms, state, slots, newest, leaves(slot), count(weight), counts(entry)
local slot_ms = math.ceil(window / 30)
local state = state_of('slots:' .. whole(slot_ms))
local slots = {}

local function leaves(slot) return (slot + 1) * slot_ms + window end

-- What lies more than a window ahead was written by a clock that is wrong. If only just, that
-- clock does not see it (below), and what it counted is kept and taken for new.
local newest
local early = 0
for _, entry in ipairs(state.slots or {}) do
  local ahead = entry[1] * slot_ms - now - window
  if ahead <= 0 then
    table.insert(slots, entry)
    newest = math.max(newest or entry[1], entry[1])
  elseif ahead <= slot_ms + 1000 then
    early = early + entry[2]
  end
end
-- Time does not go back: a caller whose clock is behind counts in the newest slot. Nor
-- does it leap: one whose clock is far ahead counts there as well.
if not newest or not is_ahead(leaves(newest)) then
  newest = math.max(newest or 0, math.floor(now / slot_ms))
  tx.moment = math.max(now, newest * slot_ms)
else
  tx.moment = newest * slot_ms
end
local function count(weight)
  if #slots > 0 and slots[#slots][1] == newest then
    slots[#slots][2] = slots[#slots][2] + weight
  else
    table.insert(slots, { newest, weight })
  end
end
if early > 0 then count(early) end
local function counts(entry) return entry[2] > 0 and leaves(entry[1]) > tx.moment end
-- What has only just left is kept a little: others' clocks may still count it.
state.slots = {}
for _, entry in ipairs(slots) do
  if leaves(entry[1]) + slot_ms + 1000 > tx.moment then table.insert(state.slots, entry) end
end
slots = state.slots
