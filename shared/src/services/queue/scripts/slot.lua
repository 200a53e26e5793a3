-- slot: the slots of recurring jobs. Each slot has one job, whichever drainer enqueues it.
--
-- Returns nothing: definitions only.
--
-- Needs: base (int)
-- Needs: read (tx.fields)
-- Needs: write (put)
-- Defines: slot_of(slot), take_slot(slot)

-- Returns the newest slot of the schedule that was handled, and whether this is the first look
-- at the schedule since its name was new or its schedule changed. A slot that began before the
-- first look gets no job.
local function slot_of(slot)
  local seen, plan = tonumber(tx.fields['#slot:' .. slot.name]) or -1, tx.fields['#plan:' .. slot.name]
  return seen, seen < 0 or plan ~= '' and slot.plan ~= nil and plan ~= slot.plan
end

local function take_slot(slot)
  local seen = slot_of(slot)
  put('#slot:' .. slot.name, int(math.max(slot.at, seen)))
  if slot.plan and tx.fields['#plan:' .. slot.name] ~= slot.plan then put('#plan:' .. slot.name, slot.plan) end
end
