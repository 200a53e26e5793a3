-- rate: how many claims the queue's rate limit allows (GCRA): one every `interval`
-- milliseconds, and up to `burst` at once after a pause.
--
-- Returns nothing: definitions only.
--
-- Needs: tx (tx.now)
-- Needs: read (tx.fields)
-- Needs: write (put)
-- Needs: schedule (due_at)
-- Defines: rate_room(rate, wanted), take_rate(rate, n)

-- If not all claims are allowed now, it notes when the next one is.
local function rate_room(rate, wanted)
  local due = math.max(tonumber(tx.fields['#rate']) or 0, tx.now)
  -- Calculated as a difference from now. Added to a full timestamp, the fraction of an interval
  -- is lost in a double, and a due job would not be allowed to begin.
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
