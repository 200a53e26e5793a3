-- sweep: takes back the jobs of workers that died. These are the rules:
--
--   1. A job's score is the end of its lease, so a job whose lease has ended is found by its
--      score. Every worker sweeps, at most 50 jobs a tick.
--   2. The lost attempt does not count as an attempt, because the machine may be at fault and
--      not the handler. It counts as a stall. A snooze resets the stalls to 0.
--   3. A job whose cancellation was requested ends as cancelled. A job with as many stalls as
--      max_attempts, and at least three, ends as failed, because it is probably what kills its
--      workers.
--   4. Any other job waits again, in the place it had when it was enqueued. If the sweeping
--      worker has room left, it claims the job immediately (see `claim_all`).
--
-- The sweep also heals entries that a dying script left behind.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, int, push)
-- Needs: layout (ACTIVE, EPOCH, FINISHED, STALL_LIMIT)
-- Needs: tx (tx, tx.keys, tx.now)
-- Needs: write (save, tx.writes)
-- Needs: schedule (delay, wait)
-- Needs: errors (add_error)
-- Needs: count (count)
-- Needs: group (leave)
-- Needs: finish (finish)
-- Needs: heal (heal)
-- Needs: round (give, tx.ended, tx.jobs, tx.n_leases_ended, tx.touched)
-- Defines: tx.returned, expired_leases(), sweep_all(expired), put_back(job)
local LEASES_PER_TICK = 50

-- The ids of jobs that wait again. Their score in the index is still the end of their lease
-- until they are claimed or put back.
tx.returned = {}

local function expired_leases()
  return call('ZRANGE', tx.keys.index, int(ACTIVE), int(ACTIVE + tx.now - EPOCH), 'BYSCORE', 'LIMIT', 0, LEASES_PER_TICK)
end

-- Takes back a job that has lost its worker: rules 2 to 4.
local function take_back(job)
  local header = job.header
  header.attempts, header.stalls = header.attempts - 1, header.stalls + 1
  count('stalled')
  if not header.cancel and header.stalls < math.max(job.spec.max_attempts, STALL_LIMIT) then
    header.state, header.run_at, header.token = 'waiting', tx.now, nil
    leave(job)
    push(tx.returned, job.id)
    return
  end
  if not header.cancel then
    add_error(job, 'lease expired ' .. header.stalls .. ' times: the job probably crashes its workers')
  end
  finish(job, header.cancel and 'cancelled' or 'failed')
  save(job)
  give(tx.ended, job)
end

local function sweep_all(expired)
  for _, id in ipairs(expired) do
    local job = tx.jobs[id]
    -- A job that this tick settled or renewed has not lost its worker.
    if not tx.touched[id] then
      tx.touched[id] = true
      tx.n_leases_ended = tx.n_leases_ended + 1
      if not job then
        push(tx.writes.gone, id)
      elseif FINISHED[job.header.state] then
        heal(job)
      elseif job.header.state == 'waiting' then
        leave(job)
        delay(job, job.header.run_at)
      else
        take_back(job)
      end
    end
  end
end

local function put_back(job)
  save(job)
  wait(job, job.spec.enqueued)
end
