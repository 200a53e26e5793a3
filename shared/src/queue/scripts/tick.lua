-- tick: settle what is done, renew what runs, take back what is lost, claim what
-- is next. One call a round of a drainer, whatever it carries.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- ARGV[1]  request  JSON: now, day, token, want, lease, aging, sweep, replay,
--                   settle [{id, fence, outcome, data, run_at, error}], renew [{id, fence}]
--
-- Returns {settled, renewed, claimed, ended, next, paused, retained}: a word for
-- each settle and renew, {id, header, spec, data} for each job claimed and each
-- ended by the sweep, the time the next delayed job is due (0 none), whether the
-- queue is paused, when retention last ran (0 if this call had no need to read it).
local request = cjson.decode(ARGV[1])
local now, day, token = request.now, request.day, request.token
local want, lease_end = request.want, request.now + request.lease
local index = KEYS[1]
start({ index = index, records = KEYS[2], finished = KEYS[3] })

local claimed, ended = {}, {}
local function hand_out(list, job)
  list[#list + 1] = { job.id, cjson.encode(job.header), job.spec_text, job.data }
end

-- Sent again because the reply was lost: what was claimed then is handed out again.
if request.replay then
  local leased = call('ZRANGE', index, int(ACTIVE), '+inf', 'BYSCORE', 'LIMIT', 0, 200)
  for _, job in pairs(load(leased)) do
    if job.header.state == 'active' and job.header.token == token then hand_out(claimed, job) end
  end
  if #claimed > 0 then want = 0 end
end

local expired = {}
if request.sweep then
  expired = call('ZRANGE', index, int(ACTIVE), int(ACTIVE + now - EPOCH), 'BYSCORE', 'LIMIT', 0, 50)
end
local picked, next_due, paused = {}, 0, 0
if want > 0 then
  next_due = promote(index, now, request.aging)
  picked = call('ZRANGE', index, -1, int(WAITING_END), 'BYSCORE', 'LIMIT', 0, want)
  if picked[1] == PAUSE then picked, paused, want = {}, 1, 0 end
end

local ids, seen = {}, {}
local function need(id)
  if not seen[id] then seen[id] = true; ids[#ids + 1] = id end
end
for _, attempt in ipairs(request.settle) do need(attempt.id) end
for _, attempt in ipairs(request.renew) do need(attempt.id) end
for _, id in ipairs(expired) do need(id) end
for _, id in ipairs(picked) do need(id) end
local jobs = load(ids, (#request.settle > 0 or #expired > 0) and day or nil)

local settled, renewed, touched = {}, {}, {}
for n, attempt in ipairs(request.settle) do
  settled[n] = settle(jobs[attempt.id], attempt, now, day)
  touched[attempt.id] = true
end
for n, attempt in ipairs(request.renew) do
  renewed[n] = renew(jobs[attempt.id], attempt, lease_end)
  touched[attempt.id] = true
end
for _, id in ipairs(picked) do
  if not touched[id] and claim(jobs[id], id, token, now, lease_end) == 'claimed' then
    hand_out(claimed, jobs[id])
  end
end
for _, id in ipairs(expired) do
  if not touched[id] then
    local job = jobs[id]
    local outcome = sweep(job, id, now, day)
    if outcome == 'ended' then
      hand_out(ended, job)
    elseif outcome == 'waiting' and #claimed < want then
      claim(job, id, token, now, lease_end)
      hand_out(claimed, job)
    elseif outcome == 'waiting' then
      save(job)
      push(writes.unfinished, waiting_score(job.spec.enqueued, job.spec.priority, request.aging), id)
    end
  end
end
flush()
return { settled, renewed, claimed, ended, int(next_due), paused, int(counters['#retained'] or 0) }
