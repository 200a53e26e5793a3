-- slots: the window as thirty counts, one for each slice of time.
--
-- A slot counts until all of it is out of the window. So no period as long as the window ever
-- has more calls than the limit, and room becomes available up to a thirtieth of a window late.
--
-- Returns nothing: definitions only.
--
-- Needs: call (now, window, tx.moment, is_ahead, state_of, whole)
-- Defines: slot_ms, state, slots, newest, leaves(slot), count(weight), counts(entry)
local slot_ms = math.ceil(window / 30)
local state = state_of('slots:' .. whole(slot_ms))
local slots = {}

local function leaves(slot) return (slot + 1) * slot_ms + window end

-- A slot more than a window ahead was written by a wrong clock. If it is only just more, that
-- clock does not notice (see below), so its count is kept and counts as new.
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
-- Time does not go back: a call with a slow clock counts in the newest slot. Nor does it jump
-- ahead: a call with a clock that is far ahead counts there as well.
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
-- A slot that has just left the window is kept a little longer, because it may still count by
-- other callers' clocks.
state.slots = {}
for _, entry in ipairs(slots) do
  if leaves(entry[1]) + slot_ms + 1000 > tx.moment then table.insert(state.slots, entry) end
end
slots = state.slots
