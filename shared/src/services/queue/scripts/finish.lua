-- finish: ends a job, with everything that follows: its unique key becomes free, its group
-- gets room, its batch has one job fewer, and the next job of its chain is stored.
--
-- Returns nothing: definitions only.
--
-- Needs: base (int, push)
-- Needs: layout (EPOCH, FINISHED)
-- Needs: tx (tx.now)
-- Needs: write (tx.writes, put)
-- Needs: count (count, counter_fields)
-- Needs: group (leave)
-- Needs: successor (count_in_batch, next_of, store)
-- Defines: is_expired(job), related(jobs), put_finished(job), finish(job, state)

local function is_expired(job)
  return job.spec.expires and job.header.fence == 0 and tx.now >= job.spec.expires
end

-- Returns the fields that a script must read before it ends, claims or settles these jobs.
local function related(jobs)
  local names = {}
  for _, job in pairs(jobs) do
    if job.spec.group then push(names, 'g:' .. job.spec.group) end
    if job.spec.batch then push(names, 'b:' .. job.spec.batch) end
    if is_expired(job) then push(names, unpack(counter_fields())) end
  end
  table.sort(names)
  return names
end

local function put_finished(job)
  push(tx.writes.finished, int(FINISHED[job.header.state] + job.header.finished - EPOCH), job.id)
  push(tx.writes.gone, job.id)
end

local function finish(job, state)
  local header = job.header
  header.state, header.finished = state, tx.now
  header.token, header.cancel = nil, nil
  if job.spec.unique then put('u:' .. job.spec.unique, '') end
  leave(job)
  count_in_batch(job)
  local successor = next_of(job)
  if successor then store(successor) end
  put_finished(job)
  count(state, state == 'completed' and tx.now - (header.started or tx.now) or 0)
end
