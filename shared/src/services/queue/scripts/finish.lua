-- finish: the end of a job, and what follows from it: its unique key is free, its
-- group has room, its batch has one less, the next of its chain is stored.
--
-- What follows is stored by the HSET that ends the job, so it happens exactly when
-- the job ends; only its place in the index may be missing when a script dies, and
-- the job's own entry, still there, makes the next sweep or claim put it in.
--
-- Returns nothing: definitions only.

local function is_expired(job)
  return job.spec.expires and job.header.fence == 0 and now >= job.spec.expires
end

-- The fields a script must have read before it ends, claims or settles these jobs.
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
  push(writes.finished, int(FINISHED[job.header.state] + job.header.finished - EPOCH), job.id)
  push(writes.gone, job.id)
end

local function place(id, spec)
  local job = { id = id, spec = spec }
  if spec.run_at > now then delay(job, spec.run_at) else wait(job, spec.run_at); due_at(now) end
end

local function store(heir)
  heir.spec.enqueued, heir.spec.run_at = now, now + (heir.delay or 0)
  push(writes.records, heir.id .. ':p', cjson.encode(heir.spec) .. '\n' .. heir.args)
  place(heir.id, heir.spec)
end

-- The next job of a chain, which carries the rest of it.
local function next_of(job)
  local chain = job.spec['then']
  if job.header.state ~= 'completed' or not chain then return nil end
  local heir = table.remove(chain, 1)
  heir.spec.after = job.id
  if #chain > 0 then heir.spec['then'] = chain end
  return heir
end

local function batch_of(job)
  local text = job.spec.batch and fields['b:' .. job.spec.batch] or ''
  return text ~= '' and cjson.decode(text) or nil
end

-- A job counts once, also when it is redriven and ends again.
local function count_in_batch(job)
  local batch = not job.header.batched and batch_of(job) or nil
  -- With none left, its last job is stored: a failover may bring an end back.
  if not batch or batch.left == 0 then return end
  job.header.batched = true
  batch.left, batch[job.header.state] = batch.left - 1, (batch[job.header.state] or 0) + 1
  put('b:' .. job.spec.batch, cjson.encode(batch))
  if batch.left == 0 then store(batch.last) end
end

local function finish(job, state)
  local header = job.header
  header.state, header.finished = state, now
  header.token, header.cancel = nil, nil
  if job.spec.unique then put('u:' .. job.spec.unique, '') end
  leave(job)
  count_in_batch(job)
  local heir = next_of(job)
  if heir then store(heir) end
  put_finished(job)
  count(state, state == 'completed' and now - (header.started or now) or 0)
end

-- A finished job that is still indexed: the script that ended it died half way.
local function heal(job)
  leave(job)
  put_finished(job)
  local ids, heir, batch = {}, next_of(job), batch_of(job)
  if heir then push(ids, heir.id) end
  if batch and batch.left == 0 then push(ids, batch.last.id) end
  local entries = {}
  for id, stored in pairs(load(ids)) do
    if stored.header.fence == 0 and stored.header.state == 'waiting' then
      local at, priority = stored.spec.run_at, stored.spec.priority
      push(entries, at > now and delayed_score(at, priority) or waiting_score(at, priority, aging), id)
      due_at(now)
    end
  end
  if #entries > 0 then call('ZADD', keys.index, 'NX', unpack(entries)) end
end
