-- log: every call in the window, with its time in milliseconds.
--
-- Returns nothing: definitions only.
--
-- Needs: call (now, window, tx.moment, is_ahead, state_of)
-- Defines: state, entries, counts(entry)
local state = state_of('log')
local entries, latest = {}, nil
-- An entry more than a window ahead was written by a wrong clock. If it is only just more, it
-- is kept and counts as new, as in `slots`.
for _, entry in ipairs(state.log or {}) do
  local ahead = entry[1] - now - window
  if ahead > 0 then entry[1] = now end
  if ahead <= 1000 then
    table.insert(entries, entry)
    latest = math.max(latest or entry[1], entry[1])
  end
end
-- Time neither goes back nor jumps ahead, as in `slots`.
if latest and is_ahead(latest + window) then
  tx.moment = latest
else
  tx.moment = math.max(latest or now, now)
end
local function counts(entry) return entry[1] + window > tx.moment end
-- An entry that has just left the window is kept a little longer, because it may still count by
-- other callers' clocks.
state.log = {}
for _, entry in ipairs(entries) do
  if entry[1] + window + 1000 > tx.moment then table.insert(state.log, entry) end
end
entries = state.log
