-- sweep: take back a job whose lease has ended.
--
-- A lost attempt is counted as a stall, not as a failure: the handler may be right
-- and the machine not. Too many stalls and the job is what kills the machine.
--
-- Returns `waiting` when it may be claimed again, `ended` when this was its end,
-- `healed` when a script had died half way with it.
local STALL_LIMIT = 3

local function sweep(job, id)
  if not job then
    push(writes.gone, id)
    return 'healed'
  end
  local header = job.header
  if FINISHED[header.state] then
    heal(job)
    return 'healed'
  elseif header.state == 'waiting' then
    leave(job)
    delay(job, header.run_at)
    return 'healed'
  end
  header.attempts, header.stalls = header.attempts - 1, header.stalls + 1
  count('stalled')
  if header.cancel then
    finish(job, 'cancelled')
  elseif header.stalls >= math.max(job.spec.max_attempts, STALL_LIMIT) then
    add_error(job, 'lease expired ' .. header.stalls .. ' times: the job stops its worker')
    finish(job, 'failed')
  else
    header.state, header.run_at, header.token = 'waiting', now, nil
    leave(job)
    return 'waiting'
  end
  save(job)
  return 'ended'
end
