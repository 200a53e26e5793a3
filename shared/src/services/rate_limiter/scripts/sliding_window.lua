-- sliding_window: admits a call if the window has room for it.
--
-- Returns {word, limit, remaining, reset}. The word says what happens at the time `reset`:
--   admitted  the whole limit is free again
--   refused   this weight may be admitted
--   denied    the caller's block ends
--
-- Needs: call (denied, limit, now, tx.moment, weight, window, save)
-- Needs: answer (answer)
-- Needs: ids (is_known, remember)
-- Needs: slots (newest, slots, state, count, counts, leaves)
if denied and denied > now then return answer('denied', 0, denied) end
local used, last = 0, tx.moment
for _, entry in ipairs(slots) do
  if counts(entry) then used, last = used + entry[2], leaves(entry[1]) end
end
if weight == 0 or is_known(state) then return answer('admitted', limit - used, last) end
if used + weight > limit then
  local missing, reset = used + weight - limit, tx.moment + window
  for _, entry in ipairs(slots) do
    if missing <= 0 then break end
    if counts(entry) then missing, reset = missing - entry[2], leaves(entry[1]) end
  end
  return answer('refused', limit - used, reset)
end
count(weight)
remember(state)
save(state, leaves(newest))
return answer('admitted', limit - used - weight, leaves(newest))
