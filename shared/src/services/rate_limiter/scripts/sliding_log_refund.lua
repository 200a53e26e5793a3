-- sliding_log_refund: takes back a call that came to nothing.
--
-- ARGV[6]  call  its id
--
-- Returns 1 taken back, 0 when it was taken back before, or does not count any more.
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
