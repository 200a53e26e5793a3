-- promote: let delayed jobs that are due wait with the others, before any is
-- picked, so that priority decides among all. At most 50 a call.
--
-- Returns nothing; notes when the next delayed job is due.
local function promote()
  local index = keys.index
  local delayed = call('ZRANGE', index, int(DELAYED), int(ACTIVE - 1), 'BYSCORE', 'LIMIT', 0, 50, 'WITHSCORES')
  local due = {}
  for n = 1, #delayed, 2 do
    local offset = tonumber(delayed[n + 1]) - DELAYED
    local priority = offset % 16
    local run_at = (offset - priority) / 16 + EPOCH
    if run_at > now then due_at(run_at) break end
    push(due, waiting_score(run_at, priority, aging), delayed[n])
  end
  if #due > 0 then call('ZADD', index, unpack(due)) end
  if #due == 100 then due_at(now) end
end
