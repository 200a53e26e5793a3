-- log: every call of the window, with its time to the millisecond.
--
-- Returns the locals `state entries moment`.
local state = state_of('log')
local entries = {}
local moment = now
for _, entry in ipairs(state.log or {}) do moment = math.max(moment, entry[1]) end
for _, entry in ipairs(state.log or {}) do
  if entry[1] + window > moment then table.insert(entries, entry) end
end
state.log = entries
