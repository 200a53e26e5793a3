-- sliding_window_refund: refunds a call that had no effect. The id is the refund's own.
--
-- ARGV[6]  at  when the call was admitted, unix milliseconds
--
-- Returns 1 refunded, 0 if it was refunded before or no longer counts.
--
-- Needs: call (tx.moment, weight, save)
-- Needs: ids (is_known, remember)
-- Needs: slots (newest, slot_ms, slots, state, counts, leaves)
local at = math.floor(tonumber(ARGV[6]) / slot_ms)
if is_known(state) or leaves(at) <= tx.moment then return 0 end
for _, entry in ipairs(slots) do
  -- The slot of its time, or the later one that a call with a slow clock was counted in.
  if entry[1] >= at and counts(entry) then
    entry[2] = math.max(entry[2] - weight, 0)
    remember(state)
    save(state, leaves(newest))
    return 1
  end
end
return 0
