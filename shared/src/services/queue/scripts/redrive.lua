-- redrive: let failed and cancelled jobs run again from their first attempt.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, aging, ids
--
-- Returns for each: `redriven`, or `large` when its arguments are in a key of their
-- own, whose expiry is then for the caller to take away; its state, when that is not failed or cancelled;
-- `unique` when an unfinished job has its unique key; `gone`.
local request = cjson.decode(ARGV[1])
start(request)
local ids = request.ids
local jobs = load(ids)
local uniques = {}
for _, job in pairs(jobs) do
  if job.spec.unique then push(uniques, 'u:' .. job.spec.unique) end
end
table.sort(uniques)
read(uniques)

local answers, entries, removed = {}, {}, {}
for n, id in ipairs(ids) do
  local job = jobs[id]
  local state = job and job.header.state or 'gone'
  local unique = job and job.spec.unique and 'u:' .. job.spec.unique
  if state == 'waiting' and job.header.redriven and job.header.run_at == now then
    answers[n] = job.spec.blob and 'large' or 'redriven' -- by this very call, whose reply was lost
  elseif state ~= 'failed' and state ~= 'cancelled' then
    answers[n] = state
  elseif unique and fields[unique] ~= '' and fields[unique] ~= id then
    answers[n] = 'unique'
  else
    answers[n] = job.spec.blob and 'large' or 'redriven'
    local header = job.header
    header.state, header.run_at, header.attempts, header.stalls = 'waiting', now, 0, 0
    header.finished, header.cancel, header.redriven = nil, nil, true
    -- One that never began must not count as expired again.
    if job.spec.expires then header.fence = math.max(header.fence, 1) end
    if unique then put(unique, id) end
    save(job)
    push(entries, waiting_score(now, job.spec.priority, aging), id)
    push(removed, id)
  end
end
-- The index first: cut after it, the job is still failed and the next claim drops
-- the entry; cut later, the header tells the next claim to leave `finished`.
if #entries > 0 then
  call('ZADD', keys.index, unpack(entries))
  flush()
  call('ZREM', keys.finished, unpack(removed))
end
return answers
