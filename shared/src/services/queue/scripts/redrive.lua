-- redrive: runs failed and cancelled jobs again, from their first attempt.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, aging, ids
--
-- Returns a word for each job: `redriven`; `large` in the same case if its arguments are in a
-- key of their own, whose expiry the caller must then remove; its state if that is neither
-- failed nor cancelled; `unique` if an unfinished job has its unique key; or `gone`.
--
-- Needs: base (call, push)
-- Needs: tx (start, tx.keys, tx.now)
-- Needs: read (load, read, tx.fields)
-- Needs: write (flush, put, save)
-- Needs: score (index_score)
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
  if state == 'waiting' and job.header.redriven and job.header.run_at == tx.now then
    answers[n] = job.spec.blob and 'large' or 'redriven' -- by this call, sent again
  elseif state ~= 'failed' and state ~= 'cancelled' then
    answers[n] = state
  elseif unique and tx.fields[unique] ~= '' and tx.fields[unique] ~= id then
    answers[n] = 'unique'
  else
    answers[n] = job.spec.blob and 'large' or 'redriven'
    local header = job.header
    header.state, header.run_at, header.attempts, header.stalls = 'waiting', tx.now, 0, 0
    header.finished, header.cancel, header.redriven = nil, nil, true
    -- A job that expired before it began must not count as expired again.
    if job.spec.expires then header.fence = math.max(header.fence, 1) end
    if unique then put(unique, id) end
    save(job)
    push(entries, index_score(tx.now, job.spec.priority), id)
    push(removed, id)
  end
end
-- The index comes first. If the script dies right after it, the job is still failed, and the
-- next claim removes the entry. If it dies later, the header tells the next claim to remove the
-- job from `finished`.
if #entries > 0 then
  call('ZADD', tx.keys.index, unpack(entries))
  flush()
  call('ZREM', tx.keys.finished, unpack(removed))
end
return answers
