-- answer: what a check returns.
--
-- Returns nothing: definitions only.
--
-- Needs: call (limit, now, tx.moment)
-- Defines: answer(word, remaining, reset)

-- A time of the state that is behind the caller's clock is converted to the caller's.
local function answer(word, remaining, reset)
  if word ~= 'denied' and tx.moment < now then reset = reset + now - tx.moment end
  return { word, limit, math.max(remaining, 0), math.ceil(reset) }
end
