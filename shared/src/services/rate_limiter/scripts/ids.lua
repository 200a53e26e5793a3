-- ids: the ids of the newest calls, so that a call that is sent twice counts once.
--
-- Returns nothing: definitions only.
--
-- Needs: call (id)
-- Defines: is_known(state), remember(state)

-- After 32 other calls, a call that is sent again counts twice. That admits fewer calls, never
-- more.
local function is_known(state)
  for _, known in ipairs(state.ids) do
    if known == id then return true end
  end
  return false
end

local function remember(state)
  table.insert(state.ids, id)
  if #state.ids > 32 then table.remove(state.ids, 1) end
end
