-- claim: give a job to a drainer, under a fence higher than all before.
--
-- Returns `claimed`, `missing` (an index entry without a job) or `finished` (one
-- left behind by a script that died); the latter two are removed on the way.
local function claim(job, id, token, now, lease_end)
  if not job then
    push(writes.gone, id)
    return 'missing'
  end
  local header = job.header
  if FINISHED[header.state] then
    put_finished(job)
    return 'finished'
  end
  -- Found active here, an earlier claim died half way: its attempt never began.
  if header.state ~= 'active' then header.attempts = header.attempts + 1 end
  if header.redriven then push(writes.redriven, id) end
  header.redriven = nil
  header.state, header.fence = 'active', header.fence + 1
  header.token, header.started = token, now
  push(writes.unfinished, int(ACTIVE + lease_end - EPOCH), id)
  save(job)
  return 'claimed'
end
