-- score: calculates the place of an unfinished job in the index.
--
-- Returns nothing: definitions only.
--
-- Needs: base (int)
-- Needs: layout (DELAYED, DELAYED_STEP, EPOCH)
-- Needs: tx (tx.now, tx.aging)
-- Defines: waiting_score(since, priority), delayed_score(run_at, priority)
-- Defines: index_score(run_at, priority)

local function waiting_score(since, priority) return int(since - EPOCH + (priority - 1) * tx.aging) end

local function delayed_score(run_at, priority) return int(DELAYED + (run_at - EPOCH) * DELAYED_STEP + priority) end

-- The score of a job that is delayed until `run_at`. If that has passed, it has been waiting
-- since then.
local function index_score(run_at, priority)
  return run_at > tx.now and delayed_score(run_at, priority) or waiting_score(run_at, priority)
end
