-- claim: give a job to a drainer, under a fence higher than all before.
--
-- Returns `claimed`; `missing` (an index entry without a job) or `finished` (one
-- left behind by a script that died), which are removed on the way; `expired` when it
-- was to begin before now, and failed; `newer` when it is for a newer version of the
-- scripts, and left to that.
local NEWER_WAIT = 60000

local function claim(job, id, token, lease_end)
  if not job then
    push(writes.gone, id)
    return 'missing'
  end
  local header, spec = job.header, job.spec
  if FINISHED[header.state] then
    heal(job)
    return 'finished'
  elseif spec.v > VERSION then
    delay(job, now + NEWER_WAIT)
    return 'newer'
  elseif is_expired(job) then
    add_error(job, 'expired before it started')
    finish(job, 'failed')
    save(job)
    return 'expired'
  end
  -- Found active here, an earlier claim died half way: its attempt never began.
  if header.state ~= 'active' then header.attempts = header.attempts + 1 end
  if header.redriven then push(writes.redriven, id) end
  header.redriven = nil
  header.state, header.fence = 'active', header.fence + 1
  header.token, header.started = token, now
  if spec.group then hold(spec.group, id, true) end
  push(writes.unfinished, int(ACTIVE + lease_end - EPOCH), id)
  save(job)
  return 'claimed'
end
