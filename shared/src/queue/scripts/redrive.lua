-- redrive: let failed and cancelled jobs run again from their first attempt.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- ARGV[1]  now    unix milliseconds
-- ARGV[2]  aging  milliseconds
-- ARGV[3…] ids
--
-- Returns for each: `redriven`; its state, when that is not failed or cancelled;
-- `unique` when an unfinished job has its unique key; `gone`.
local now, aging, ids = tonumber(ARGV[1]), tonumber(ARGV[2]), {}
for n = 3, #ARGV do ids[#ids + 1] = ARGV[n] end
start({ index = KEYS[1], records = KEYS[2], finished = KEYS[3] })
local jobs = load(ids)
local uniques, owners = {}, {}
for _, job in pairs(jobs) do
  if job.spec.unique then uniques[#uniques + 1] = 'u:' .. job.spec.unique end
end
if #uniques > 0 then
  for n, owner in ipairs(call('HMGET', KEYS[2], unpack(uniques))) do owners[uniques[n]] = owner or '' end
end

local answers, added, removed = {}, {}, {}
for n, id in ipairs(ids) do
  local job = jobs[id]
  local state = job and job.header.state or 'gone'
  local unique = job and job.spec.unique and 'u:' .. job.spec.unique
  if job and job.header.redriven and job.header.run_at == now then
    answers[n] = 'redriven' -- by this very call, whose reply was lost
  elseif state ~= 'failed' and state ~= 'cancelled' then
    answers[n] = state
  elseif unique and owners[unique] ~= '' and owners[unique] ~= id then
    answers[n] = 'unique'
  else
    answers[n] = 'redriven'
    local header = job.header
    header.state, header.run_at, header.attempts, header.stalls = 'waiting', now, 0, 0
    header.finished, header.cancel, header.redriven = nil, nil, true
    if unique then push(writes.records, unique, id); owners[unique] = id end
    save(job)
    push(added, waiting_score(now, job.spec.priority, aging), id)
    push(removed, id)
  end
end
-- The index first: cut after it, the job is still failed and the next claim drops
-- the entry; cut later, the header tells the next claim to leave `finished`.
if #added > 0 then
  call('ZADD', KEYS[1], unpack(added))
  flush()
  call('ZREM', KEYS[3], unpack(removed))
end
return answers
