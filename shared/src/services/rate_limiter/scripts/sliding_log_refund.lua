-- sliding_log_refund: refunds a call that had no effect.
--
-- ARGV[6]  call  the id of that call
--
-- Returns 1 refunded, 0 if it was refunded before or no longer counts.
--
-- Needs: call (tx.moment, window, save)
-- Needs: log (entries, state, counts)
for place, entry in ipairs(entries) do
  if entry[3] == ARGV[6] and counts(entry) then
    table.remove(entries, place)
    save(state, tx.moment + window)
    return 1
  end
end
return 0
