-- settle: accepts the outcome of an attempt, once, and only if the attempt holds the lease.
-- Renews the leases of attempts that still run.
--
-- A lease ends in two ways: its attempt is settled here, or its time runs out and `sweep`
-- takes the job back. Nothing else ends a lease. A cancellation only asks the attempt to stop,
-- and a worker that has to leave early settles its jobs with `snooze`.
--
-- Returns nothing: definitions only.
--
-- Needs: base (int, push)
-- Needs: layout (ACTIVE, EPOCH, FINISHED)
-- Needs: write (save, tx.writes)
-- Needs: schedule (delay)
-- Needs: errors (add_error)
-- Needs: count (count)
-- Needs: group (leave)
-- Needs: finish (finish)
-- Needs: round (tx.n_leases_ended)
-- Defines: settle(job, attempt), renew(job, attempt, lease_end)

-- Returns the state that the job ended in (completed, failed, cancelled); `retry` or `snooze`
-- if it will run again; `stale` if another attempt owns the job; or `gone` if the job does not
-- exist. If this attempt was settled before, it returns `dup`, or the state that the job ended
-- in if that differs from the outcome sent.
local function settle(job, attempt)
  if not job then return 'gone' end
  local header, outcome = job.header, attempt.outcome
  if header.fence ~= attempt.fence or header.state ~= 'active' then
    if header.settled ~= attempt.fence then return 'stale' end
    -- The job may have ended in another way than the attempt reported.
    return FINISHED[header.state] and header.state ~= outcome and header.state or 'dup'
  end
  tx.n_leases_ended = tx.n_leases_ended + 1
  header.settled = attempt.fence
  if header.cancel and outcome ~= 'completed' then
    outcome = 'cancelled'
  elseif outcome == 'retry' and header.attempts >= job.spec.max_attempts then
    outcome = 'failed'
  end
  if attempt.error then add_error(job, attempt.error) end
  header.result = attempt.result
  if outcome == 'retry' or outcome == 'snooze' then
    header.state, header.run_at, header.token = 'waiting', attempt.run_at, nil
    -- A snooze is not a failure, and shows that the job makes progress.
    if outcome == 'snooze' then header.attempts, header.stalls = header.attempts - 1, 0 end
    if outcome == 'retry' then count('retried') end
    leave(job)
    delay(job, attempt.run_at)
  else
    finish(job, outcome)
  end
  if attempt.data then push(tx.writes.records, job.id .. ':r', attempt.data) end
  save(job)
  return outcome
end

-- Returns `ok`; `cancel` if somebody has cancelled the job; or `stale` if another attempt owns
-- the job.
local function renew(job, attempt, lease_end)
  if not job or job.header.fence ~= attempt.fence or job.header.state ~= 'active' then
    return 'stale'
  end
  push(tx.writes.unfinished, int(ACTIVE + lease_end - EPOCH), job.id)
  return job.header.cancel and 'cancel' or 'ok'
end
