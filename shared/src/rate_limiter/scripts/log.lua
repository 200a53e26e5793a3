-- log: every call of the window, with its time to the millisecond.
--
-- Returns the locals `state entries`.
local state = state_of('log')
local entries, latest = {}, nil
-- What lies more than a window ahead was written by a clock that is wrong.
for _, entry in ipairs(state.log or {}) do
  if entry[1] <= now + window then
    table.insert(entries, entry)
    latest = math.max(latest or entry[1], entry[1])
  end
end
-- Time neither goes back nor leaps, as in `slots`.
if latest and is_ahead(latest + window) then
  moment = latest
else
  moment = math.max(latest or now, now)
end
local counting = {}
for _, entry in ipairs(entries) do
  if entry[1] + window > moment then table.insert(counting, entry) end
end
entries = counting
state.log = entries
