-- claim: gives a job to a worker, with a fence higher than all earlier ones.
--
-- Returns nothing: definitions only.
--
-- Needs: base (int, push)
-- Needs: layout (ACTIVE, EPOCH, FINISHED, VERSION)
-- Needs: tx (tx.now)
-- Needs: write (save, tx.writes)
-- Needs: schedule (delay)
-- Needs: errors (add_error)
-- Needs: group (hold)
-- Needs: parking (check_holders, is_full, park)
-- Needs: finish (finish, is_expired)
-- Needs: heal (heal)
-- Needs: round (give, tx.claimed, tx.ended, tx.jobs, tx.touched)
-- Needs: sweep (put_back, tx.returned)
-- Defines: claim_all(picked, scores, room, limit, token, lease_end)
local NEWER_WAIT = 60000

local function begin(job, token, lease_end)
  local header, group_name = job.header, job.spec.group
  -- A job that is active here was claimed by a script that died halfway. That attempt never
  -- began, so it is not counted again.
  if header.state ~= 'active' then header.attempts = header.attempts + 1 end
  if header.redriven then push(tx.writes.redriven, job.id) end
  header.redriven = nil
  header.state, header.fence = 'active', header.fence + 1
  header.token, header.started = token, tx.now
  if group_name then hold(group_name, job.id, true) end
  push(tx.writes.unfinished, int(ACTIVE + lease_end - EPOCH), job.id)
  save(job)
  give(tx.claimed, job)
end

-- Returns whether the job was claimed. If not, one of these holds: the entry has no job, or
-- its job has finished and the script that ended it died, so the entry is removed; the spec
-- needs newer scripts, so the job is left to workers that have them; or the job's expiry time
-- has passed, so it fails.
local function claim(job, id, token, lease_end)
  if not job then
    push(tx.writes.gone, id)
  elseif FINISHED[job.header.state] then
    heal(job)
  elseif job.spec.v > VERSION then
    delay(job, tx.now + NEWER_WAIT)
  elseif is_expired(job) then
    add_error(job, 'expired before it started')
    finish(job, 'failed')
    save(job)
    give(tx.ended, job)
  else
    begin(job, token, lease_end)
    return true
  end
end

-- Claims up to `room` jobs: first the picked ones, in their order, then those that the sweep
-- took back. Other picked jobs stay where they are. Other jobs that were taken back are put
-- back into the index.
local function claim_all(picked, scores, room, limit, token, lease_end)
  local names = {}
  for _, id in ipairs(picked) do
    local job = tx.jobs[id]
    if job and job.spec.group then push(names, job.spec.group) end
  end
  if limit then check_holders(names, limit) end
  for _, id in ipairs(picked) do
    if #tx.claimed >= room then break end
    local job = tx.jobs[id]
    if not tx.touched[id] then
      if is_full(job, limit) then park(job, scores[id]) else claim(job, id, token, lease_end) end
    end
  end
  for _, id in ipairs(tx.returned) do
    local job = tx.jobs[id]
    if #tx.claimed >= room or is_full(job, limit) then
      put_back(job)
    elseif not claim(job, id, token, lease_end) then
      save(job)
    end
  end
end
