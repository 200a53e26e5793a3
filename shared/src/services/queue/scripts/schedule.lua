-- schedule: puts unfinished jobs into the index, and tracks when the next tick is useful.
--
-- Returns nothing: definitions only.
--
-- Needs: base (push)
-- Needs: tx (tx, tx.now)
-- Needs: score (waiting_score, delayed_score)
-- Needs: write (tx.writes)
-- Defines: tx.next_due, due_at(time), wait(job, since), delay(job, run_at)
-- Defines: schedule(job, run_at)

-- When there is something to do next, as far as this call knows; 0 means never.
tx.next_due = 0

local function due_at(time)
  if tx.next_due == 0 or time < tx.next_due then tx.next_due = time end
end

local function wait(job, since) push(tx.writes.unfinished, waiting_score(since, job.spec.priority), job.id) end

local function delay(job, run_at)
  push(tx.writes.unfinished, delayed_score(run_at, job.spec.priority), job.id)
  due_at(run_at)
end

-- Delays a job until `run_at`. If that has passed, the job has been waiting since then.
local function schedule(job, run_at)
  if run_at > tx.now then delay(job, run_at) else wait(job, run_at); due_at(tx.now) end
end
