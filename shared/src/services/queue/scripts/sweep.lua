-- sweep: takes back the jobs of workers that died. The whole rule is in this file:
--
--   1. A job whose lease has run out is found by its score: the end of its lease. Every
--      worker sweeps, 50 jobs a tick at most.
--   2. The lost attempt does not count as an attempt, since the handler may be right and the
--      machine wrong. It counts as a stall; a snooze sets the stalls back to 0.
--   3. A job that was to be cancelled ends cancelled. A job with max_attempts stalls, and
--      three at least, ends failed: it is probably the reason its workers die.
--   4. Any other waits again, in the place it had when it was enqueued. If the worker that
--      swept has room left, it claims the job at once (see `claim_all`).
--
-- An entry that a script left behind when it died is healed on the way.
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

-- The ids of jobs that wait again: in the index at the end of their lease until they are
-- claimed or put back.
tx.returned = {}

local function expired_leases()
  return call('ZRANGE', tx.keys.index, int(ACTIVE), int(ACTIVE + tx.now - EPOCH), 'BYSCORE', 'LIMIT', 0, LEASES_PER_TICK)
end

-- Takes back a job whose worker is lost: rules 2 to 4.
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
    add_error(job, 'lease expired ' .. header.stalls .. ' times: the job stops its worker')
  end
  finish(job, header.cancel and 'cancelled' or 'failed')
  save(job)
  give(tx.ended, job)
end

local function sweep_all(expired)
  for _, id in ipairs(expired) do
    local job = tx.jobs[id]
    -- A job that this very tick settled or renewed has not lost its worker.
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
