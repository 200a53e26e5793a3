-- enqueue: store jobs, each once however often it is sent.
--
-- KEYS[1]  jobs:{queue}:index    ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records  HASH  the jobs
-- ARGV[1]  request  JSON: now, aging, jobs [{id, priority, run_at, unique}]
-- ARGV[2…] the spec of each job, in that order
--
-- Returns {word, id} for each: `new`; `dup` with the id of the job that stands for
-- it (itself, sent before, or the unfinished one with its unique key); `conflict`
-- when the id is another job's.
local request = cjson.decode(ARGV[1])
local now, aging, jobs = request.now, request.aging, request.jobs
local index, records = KEYS[1], KEYS[2]

local function score(job)
  if job.run_at > now then return delayed_score(job.run_at, job.priority) end
  return waiting_score(now, job.priority, aging)
end

-- A job alone without a unique key, the usual case, needs no look before.
local first = jobs[1]
if #jobs == 1 and not first.unique and call('HSETNX', records, first.id .. ':p', ARGV[2]) == 1 then
  call('ZADD', index, score(first), first.id)
  return { { 'new', first.id } }
end

local fields, owners = {}, {}
for _, job in ipairs(jobs) do push(fields, job.id .. ':p', job.id, 'u:' .. (job.unique or '')) end
local stored = call('HMGET', records, unpack(fields))
local owner_fields, never_claimed = {}, {}
for n, job in ipairs(jobs) do
  local owner = job.unique and stored[3 * n] or ''
  if owner and owner ~= '' then push(owner_fields, owner, owner .. ':p') end
end
if #owner_fields > 0 then
  local values = call('HMGET', records, unpack(owner_fields))
  for n = 1, #owner_fields, 2 do
    local owner, header, spec = owner_fields[n], values[n], values[n + 1]
    owners[owner] = spec and not (header and FINISHED[cjson.decode(header).state])
    if spec and not header then never_claimed[owner] = cjson.decode(string.match(spec, '^[^\n]*')) end
  end
end

local sets, adds, answers, taken = {}, {}, {}, {}
for n, job in ipairs(jobs) do
  local spec, header, owner = stored[3 * n - 2], stored[3 * n - 1], stored[3 * n]
  owner = job.unique and (taken[job.unique] or (owners[owner or ''] and owner)) or nil
  if spec and spec ~= ARGV[n + 1] then
    answers[n] = { 'conflict', job.id }
  elseif spec or taken[job.id] then
    answers[n] = { 'dup', job.id }
    -- Stored but never claimed: an earlier call may have died before the index.
    if not header then push(adds, score(job), job.id) end
  elseif owner then
    answers[n] = { 'dup', owner }
    -- As above: the call that stored it may have died before the index.
    if never_claimed[owner] then push(adds, score(never_claimed[owner]), owner) end
  else
    answers[n] = { 'new', job.id }
    push(sets, job.id .. ':p', ARGV[n + 1])
    if job.unique then push(sets, 'u:' .. job.unique, job.id) end
    push(adds, score(job), job.id)
    taken[job.id] = job.id
    if job.unique then taken[job.unique] = job.id end
  end
end
if #sets > 0 then call('HSET', records, unpack(sets)) end
if #adds > 0 then call('ZADD', index, 'NX', unpack(adds)) end
return answers
