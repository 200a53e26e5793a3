-- answer: builds the result of a check.
--
-- Returns nothing: definitions only.
--
-- Needs: call (limit, now, tx.moment)
-- Defines: answer(word, remaining, reset)

-- If the state's time is behind the caller's clock, `reset` is converted to the caller's.
local function answer(word, remaining, reset)
  if word ~= 'denied' and tx.moment < now then reset = reset + now - tx.moment end
  return { word, limit, math.max(remaining, 0), math.ceil(reset) }
end
