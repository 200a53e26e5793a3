-- ids: the newest calls by their ids, so that one that is sent twice counts once.
--
-- Returns nothing: definitions only.
--
-- Needs: call (id)
-- Defines: is_known(state), remember(state)

-- After 32 others, a call sent again counts twice, which admits less, never more.
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
