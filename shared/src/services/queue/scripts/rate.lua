-- rate: how many claims the queue's rate allows: one every `interval` milliseconds, and
-- `burst` at once after a rest (GCRA).
--
-- Returns nothing: definitions only.
--
-- Needs: tx (tx.now)
-- Needs: read (tx.fields)
-- Needs: write (put)
-- Needs: schedule (due_at)
-- Defines: rate_room(rate, wanted), take_rate(rate, n)

-- Notes when the next claim is allowed, if not all are.
local function rate_room(rate, wanted)
  local due = math.max(tonumber(tx.fields['#rate']) or 0, tx.now)
  -- Computed as a difference from now: beside the time of day, a double loses the fraction
  -- of an interval, and a job that is due would not be allowed to begin.
  local ahead = due - tx.now
  local room = math.max(0, math.floor(rate.burst - ahead / rate.interval + 0.000001))
  if room < wanted then
    due_at(tx.now + math.max(1, math.ceil(ahead + (room + 1 - rate.burst) * rate.interval)))
  end
  return room
end

local function take_rate(rate, n)
  if n == 0 then return end
  put('#rate', string.format('%.3f', math.max(tonumber(tx.fields['#rate']) or 0, tx.now) + n * rate.interval))
end
