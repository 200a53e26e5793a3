-- settle: accept the outcome of an attempt, once, from the attempt that owns it.
--
-- Returns the state the job came to (completed, failed, cancelled), `retry` or
-- `snooze` when it is to go on, `stale` when another attempt owns the job, `gone` when
-- there is no such job. When this attempt was settled before: `dup`, or the state the
-- job ended in if that is not the outcome sent; and, second, `before`.
local function settle(job, attempt)
  if not job then return 'gone' end
  local header, outcome = job.header, attempt.outcome
  if header.fence ~= attempt.fence or header.state ~= 'active' then
    if header.settled ~= attempt.fence then return 'stale' end
    -- It may have come to another end than the attempt knows of.
    local ended = FINISHED[header.state] and header.state ~= outcome
    return ended and header.state or 'dup', 'before'
  end
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
    -- A snooze is no failure and shows that the job gets on.
    if outcome == 'snooze' then header.attempts, header.stalls = header.attempts - 1, 0 end
    if outcome == 'retry' then count('retried') end
    leave(job)
    delay(job, attempt.run_at)
  else
    finish(job, outcome)
  end
  if attempt.data then push(writes.records, job.id .. ':r', attempt.data) end
  save(job)
  return outcome
end

-- Renews a lease. Returns `ok`, `cancel` when the job is to be cancelled, `stale`
-- when another attempt owns it.
local function renew(job, attempt, lease_end)
  if not job or job.header.fence ~= attempt.fence or job.header.state ~= 'active' then
    return 'stale'
  end
  push(writes.unfinished, int(ACTIVE + lease_end - EPOCH), job.id)
  return job.header.cancel and 'cancel' or 'ok'
end
