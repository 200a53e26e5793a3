-- settle: accepts the outcome of an attempt, once, from the attempt that holds the lease,
-- and renews the leases of those that still run.
--
-- A lease ends in two ways: its attempt is settled here, or its time runs out and `sweep`
-- takes the job back. Nothing else ends one: a cancellation only asks the attempt to stop,
-- and a worker that must leave early settles its jobs with `snooze`.
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

-- Returns the state the job came to (completed, failed, cancelled); `retry` or `snooze`
-- when it will run again; `stale` when another attempt has the job; `gone` when there is no
-- such job. If this attempt was settled before: `dup`, or the state the job ended in if that
-- is not the outcome sent.
local function settle(job, attempt)
  if not job then return 'gone' end
  local header, outcome = job.header, attempt.outcome
  if header.fence ~= attempt.fence or header.state ~= 'active' then
    if header.settled ~= attempt.fence then return 'stale' end
    -- It may have ended in another way than the attempt knows.
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

-- Returns `ok`; `cancel` when the job is to be cancelled; `stale` when another attempt has
-- the job.
local function renew(job, attempt, lease_end)
  if not job or job.header.fence ~= attempt.fence or job.header.state ~= 'active' then
    return 'stale'
  end
  push(tx.writes.unfinished, int(ACTIVE + lease_end - EPOCH), job.id)
  return job.header.cancel and 'cancel' or 'ok'
end
