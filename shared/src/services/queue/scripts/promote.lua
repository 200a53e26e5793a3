-- promote: moves due jobs from delayed to waiting. This happens before jobs are picked, so that
-- priority decides among all of them.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, int, push)
-- Needs: layout (ACTIVE, DELAYED, DELAYED_STEP, EPOCH)
-- Needs: tx (tx.keys, tx.now)
-- Needs: score (waiting_score)
-- Needs: schedule (due_at)
-- Defines: promote()
local DUE_PER_TICK = 50

local function promote()
  local index = tx.keys.index
  local delayed = call('ZRANGE', index, int(DELAYED), int(ACTIVE - 1), 'BYSCORE', 'LIMIT', 0, DUE_PER_TICK, 'WITHSCORES')
  local due = {}
  for n = 1, #delayed, 2 do
    local offset = tonumber(delayed[n + 1]) - DELAYED
    local priority = offset % DELAYED_STEP
    local run_at = (offset - priority) / DELAYED_STEP + EPOCH
    if run_at > tx.now then due_at(run_at) break end
    push(due, waiting_score(run_at, priority), delayed[n])
  end
  if #due > 0 then call('ZADD', index, unpack(due)) end
  -- Every job that was looked at was due (each has an id and a score here), so there may be more.
  if #due == 2 * DUE_PER_TICK then due_at(tx.now) end
end
