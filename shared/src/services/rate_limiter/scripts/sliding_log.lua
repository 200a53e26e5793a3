-- sliding_log: admit a call if those of the window leave room for it.
--
-- After `call` and `log`, with their KEYS and ARGV. A call sent twice is found in the
-- log itself.
--
-- Returns {word, limit, remaining, reset}, as `sliding_window` does.
if denied and denied > now then return answer('denied', 0, denied) end
local used, found, last = 0, weight == 0, moment
for _, entry in ipairs(entries) do
  if counts(entry) then
    used, last = used + entry[2], math.max(last, entry[1] + window)
    if entry[3] == id then found = true end
  end
end
if found then return answer('admitted', limit - used, last) end
if used + weight > limit then
  local missing, reset = used + weight - limit, moment + window
  for _, entry in ipairs(entries) do
    if missing <= 0 then break end
    if counts(entry) then missing, reset = missing - entry[2], entry[1] + window end
  end
  return answer('refused', limit - used, reset)
end
table.insert(entries, { moment, weight, id })
save(state, moment + window)
return answer('admitted', limit - used - weight, moment + window)
