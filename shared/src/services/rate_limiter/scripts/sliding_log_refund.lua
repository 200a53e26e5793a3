-- sliding_log_refund: take a call back that came to nothing.
--
-- After `call` and `log`, with their KEYS and ARGV.
-- ARGV[6]  call  its id
--
-- Returns 1 taken back, 0 when it was before, or counts no more.
for place, entry in ipairs(entries) do
  if entry[3] == ARGV[6] and counts(entry) then
    table.remove(entries, place)
    save(state, moment + window)
    return 1
  end
end
return 0
