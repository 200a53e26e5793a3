-- sliding_log: admits a call if the calls in the window leave room for it. A call that is sent
-- twice is found in the log itself.
--
-- Returns {word, limit, remaining, reset}, as `sliding_window` does.
--
-- Needs: call (denied, id, limit, now, tx.moment, weight, window, save)
-- Needs: answer (answer)
-- Needs: log (entries, state, counts)
if denied and denied > now then return answer('denied', 0, denied) end
local used, found, last = 0, weight == 0, tx.moment
for _, entry in ipairs(entries) do
  if counts(entry) then
    used, last = used + entry[2], math.max(last, entry[1] + window)
    if entry[3] == id then found = true end
  end
end
if found then return answer('admitted', limit - used, last) end
if used + weight > limit then
  local missing, reset = used + weight - limit, tx.moment + window
  for _, entry in ipairs(entries) do
    if missing <= 0 then break end
    if counts(entry) then missing, reset = missing - entry[2], entry[1] + window end
  end
  return answer('refused', limit - used, reset)
end
table.insert(entries, { tx.moment, weight, id })
save(state, tx.moment + window)
return answer('admitted', limit - used - weight, tx.moment + window)
