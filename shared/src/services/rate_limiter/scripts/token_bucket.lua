-- token_bucket: admits a call if there are enough tokens for it.
--
-- Returns {word, limit, remaining, reset}, as `sliding_window` does.
--
-- Needs: call (denied, now, tx.moment, weight, window)
-- Needs: answer (answer)
-- Needs: ids (is_known, remember)
-- Needs: bucket (burst, full, now_us, state, token, keep, ms)
if denied and denied > now then return answer('denied', 0, denied) end
local room = math.floor((burst * token - (full - now_us)) / token)
if weight == 0 or is_known(state) then return answer('admitted', room, ms(full)) end
local after = full + weight * token
if after - now_us > burst * token then
  local reset = weight > burst and tx.moment + window or ms(after - burst * token)
  return answer('refused', room, reset)
end
remember(state)
keep(after)
return answer('admitted', room - weight, ms(after))
