-- round: what a tick has in its hands.
--
-- Returns nothing: definitions only.
local jobs, touched, claimed, ended, returned = {}, {}, {}, {}, {}
-- Attempts that were active and are over.
local n_left = 0

local function hand_out(list, job)
  list[#list + 1] = { job.id, cjson.encode(job.header), job.spec_text, job.data }
end

-- Reads jobs not read before, with the fields `names`, and what else they need.
local function load_more(ids, names)
  local wanted, seen = {}, {}
  for _, id in ipairs(ids) do
    if not jobs[id] and not seen[id] then seen[id] = true; push(wanted, id) end
  end
  local loaded = load(wanted, names)
  read(related(loaded))
  for id, job in pairs(loaded) do jobs[id] = job end
end

-- What an earlier sending of the same round claimed: among the newest leases. It is
-- for its drainer to keep, however late that hears of it.
local function hand_out_again(token, lease_end)
  local leased = call('ZRANGE', keys.index, '+inf', int(ACTIVE), 'BYSCORE', 'REV', 'LIMIT', 0, 200)
  for _, job in pairs(load(leased)) do
    if job.header.state == 'active' and job.header.token == token then
      hand_out(claimed, job)
      touched[job.id] = true
      push(writes.unfinished, int(ACTIVE + lease_end - EPOCH), job.id)
    end
  end
end

local function settle_all(attempts)
  local words = {}
  for n, attempt in ipairs(attempts) do
    local word, before = settle(jobs[attempt.id], attempt)
    words[n] = word
    touched[attempt.id] = true
    if not before and word ~= 'stale' and word ~= 'gone' then n_left = n_left + 1 end
  end
  return words
end

local function renew_all(attempts, lease_end)
  local words = {}
  for n, attempt in ipairs(attempts) do
    words[n] = renew(jobs[attempt.id], attempt, lease_end)
    touched[attempt.id] = true
  end
  return words
end

local function sweep_all(expired)
  for _, id in ipairs(expired) do
    if not touched[id] then
      touched[id] = true
      n_left = n_left + 1
      local outcome = sweep(jobs[id], id)
      if outcome == 'ended' then hand_out(ended, jobs[id]) end
      if outcome == 'waiting' then push(returned, id) end
    end
  end
end

-- Parked jobs of groups that have room wait again: of those just left, and of some
-- found parked, should whoever was to make room for them have died. Answers whether
-- there were any.
local function release_all(sampled, limit)
  local names = {}
  for _, member in ipairs(sampled) do freed[string.match(member, '^%Z*')] = true end
  for name in pairs(freed) do push(names, 'g:' .. name) end
  table.sort(names)
  read(names)
  for _, member in ipairs(sampled) do group(string.match(member, '^%Z*')).parked = true end
  return release(limit)
end

local function is_full(job, limit)
  local name = limit and job and job.spec.group
  return name and not group(name).holders[job.id] and group(name).size >= limit
end

-- Claims up to `room` of the picked jobs, in their order, and then of those the sweep
-- took back; the rest of these waits where it did before.
local function claim_all(picked, scores, room, limit, token, lease_end)
  local groups_seen = {}
  for _, id in ipairs(picked) do
    if jobs[id] and jobs[id].spec.group then push(groups_seen, jobs[id].spec.group) end
  end
  if limit then check_holders(groups_seen, limit) end
  for _, id in ipairs(picked) do
    if #claimed >= room then break end
    if not touched[id] then
      local job = jobs[id]
      local outcome = is_full(job, limit) and park(job, scores[id]) or claim(job, id, token, lease_end)
      if outcome == 'claimed' then hand_out(claimed, job) end
      if outcome == 'expired' then hand_out(ended, job) end
    end
  end
  for _, id in ipairs(returned) do
    local job = jobs[id]
    if #claimed < room and not is_full(job, limit) then
      if claim(job, id, token, lease_end) == 'claimed' then hand_out(claimed, job) else save(job) end
    else
      save(job)
      wait(job, job.spec.enqueued)
    end
  end
end
