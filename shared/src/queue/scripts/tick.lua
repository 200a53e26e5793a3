-- tick: settle what is done, renew what runs, take back what is lost, claim what
-- is next. One call a round of a drainer, whatever it carries.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, token, want, pick, lease, aging, sweep, replay,
--                   measure, settle [{id, fence, outcome, data, result, run_at,
--                   error, read (fields it is known to need)}], renew [{id, fence}]; of the queue's settings, if set,
--                   active_limit, group_limit, rate {interval, burst}
--
-- Returns {settled, renewed, claimed, ended, next, paused, retained, waiting}: a word
-- for each settle and renew; {id, header, spec, data} for each job claimed and each
-- that ended by the sweep or expired; when to look again (0: when something is
-- enqueued); whether the queue is paused; when retention last ran (0 if this call had
-- no need to read it); how many jobs wait, if that is to be measured.
local request = cjson.decode(ARGV[1])
start(request)
local token, want, limit = request.token, request.want, request.group_limit
local lease_end = now + request.lease
local claimed, ended, jobs = {}, {}, {}
local function hand_out(list, job)
  list[#list + 1] = { job.id, cjson.encode(job.header), job.spec_text, job.data }
end

-- Sent again because the reply was lost: what was claimed then is handed out again.
if request.replay then
  local leased = call('ZRANGE', keys.index, int(ACTIVE), '+inf', 'BYSCORE', 'LIMIT', 0, 200)
  for _, job in pairs(load(leased)) do
    if job.header.state == 'active' and job.header.token == token then hand_out(claimed, job) end
  end
  if #claimed > 0 then want = 0 end
end
local n_replayed = #claimed

local expired, sampled = {}, {}
if request.sweep then
  expired = call('ZRANGE', keys.index, int(ACTIVE), int(ACTIVE + now - EPOCH), 'BYSCORE', 'LIMIT', 0, 50)
  -- Should whoever was to make room for them have died, parked jobs are found here.
  if limit then sampled = call('ZRANDMEMBER', keys.parked, 5) end
end
local picked, scores, paused = {}, {}, false
local function look()
  if want == 0 then return end
  promote()
  picked, scores, paused = pick(request.pick)
end
-- With groups, what is settled now makes room before anything is picked.
if not limit then look() end

local names = (#request.settle > 0 or #expired > 0) and counter_fields() or {}
if request.rate then push(names, '#rate') end
for _, attempt in ipairs(request.settle) do push(names, unpack(attempt.read or {})) end
local function load_more(ids)
  local wanted, seen = {}, {}
  for _, id in ipairs(ids) do
    if not jobs[id] and not seen[id] then seen[id] = true; push(wanted, id) end
  end
  local loaded = load(wanted, names)
  names = {}
  read(related(loaded))
  for id, job in pairs(loaded) do jobs[id] = job end
end
local ids = {}
for _, attempt in ipairs(request.settle) do push(ids, attempt.id) end
for _, attempt in ipairs(request.renew) do push(ids, attempt.id) end
push(ids, unpack(expired))
push(ids, unpack(picked))
load_more(ids)

local settled, renewed, touched, left = {}, {}, {}, 0
for n, attempt in ipairs(request.settle) do
  settled[n] = settle(jobs[attempt.id], attempt)
  touched[attempt.id] = true
  if settled[n] ~= 'dup' and settled[n] ~= 'stale' and settled[n] ~= 'gone' then left = left + 1 end
end
for n, attempt in ipairs(request.renew) do
  renewed[n] = renew(jobs[attempt.id], attempt, lease_end)
  touched[attempt.id] = true
end
local returned = {}
for _, id in ipairs(expired) do
  if not touched[id] then
    touched[id] = true
    left = left + 1
    local outcome = sweep(jobs[id], id)
    if outcome == 'ended' then hand_out(ended, jobs[id]) end
    if outcome == 'waiting' then push(returned, id) end
  end
end

if limit then
  for _, member in ipairs(sampled) do freed[string.match(member, '^%Z*')] = true end
  local freed_fields = {}
  for name in pairs(freed) do push(freed_fields, 'g:' .. name) end
  read(freed_fields)
  for _, member in ipairs(sampled) do group(string.match(member, '^%Z*')).parked = true end
  release(limit)
  look()
  load_more(picked)
end

local room = want
if want > 0 and #picked + #returned > 0 then
  if request.active_limit then room = math.min(room, active_room(request.active_limit, left)) end
  if request.rate then room = math.min(room, rate_room(request.rate, math.min(want, #picked + #returned))) end
end
if limit then
  local full = {}
  for _, id in ipairs(picked) do
    if jobs[id] and jobs[id].spec.group then push(full, jobs[id].spec.group) end
  end
  check_holders(full, limit)
end
for _, id in ipairs(picked) do
  if #claimed >= room then break end
  local job = jobs[id]
  if not touched[id] then
    local name = job and job.spec.group
    if limit and name and not group(name).holders[id] and group(name).size >= limit then
      park(job, scores[id])
    else
      local outcome = claim(job, id, token, lease_end)
      if outcome == 'claimed' then hand_out(claimed, job) end
      if outcome == 'expired' then hand_out(ended, job) end
    end
  end
end
for _, id in ipairs(returned) do
  local job = jobs[id]
  local name = limit and job.spec.group
  if #claimed < room and not paused and not (name and group(name).size >= limit) then
    claim(job, id, token, lease_end)
    hand_out(claimed, job)
  else
    save(job)
    wait(job, job.spec.enqueued)
  end
end
if request.rate then take_rate(request.rate, #claimed - n_replayed) end
-- All that was looked at was no use, or there was more of use: look again at once.
if #picked == request.pick and #claimed < room then due_at(now) end
flush()
local waiting = request.measure and call('ZCOUNT', keys.index, 0, int(DELAYED - 1)) or 0
return { settled, renewed, claimed, ended, int(next_due), paused and 1 or 0, int(tonumber(fields['#retained']) or 0), waiting }
