-- enqueue: store jobs, each once however often it is sent.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- KEYS[5…] as the request says: a stream to take the jobs from, then the arguments
--          in keys of their own (STRING)
-- ARGV[1]  request  JSON: now, day, aging, jobs [{id, priority, run_at, unique,
--                   on_unique (hasten, keep, replace, debounce), slot {name, plan,
--                   at, late, run_late}, entry,
--                   refused, blob}], cap, stream (whether there is one), batch
--                   {id, total, last}
-- ARGV[2…] the spec of each job, in that order
--
-- Returns {word, id} for each: `new`; `dup` with the id of the job that stands for
-- it (itself, sent before, or the unfinished one with its unique key), to be hastened
-- `sooner` when that now runs sooner or before more others; either with `_other` behind
-- it when that one's work differs; `moved` with
-- the id of a delayed job that took its arguments and time over; `conflict` when the
-- id is another job's; `full` when the queue is; `slot` when its slot has had its job
-- or is to have none;
-- `gone` when it is no longer in the stream.
local request = cjson.decode(ARGV[1])
start(request)
local jobs, cap, batch = request.jobs, request.cap, request.batch
local stream = request.stream and KEYS[5]

-- Arguments in keys of their own are kept as long as their job.
local function keep_blobs(answers)
  local at = stream and 5 or 4
  for n, job in ipairs(jobs) do
    if job.blob then
      at = at + 1
      if answers[n][1] == 'new' or answers[n][1] == 'dup' and answers[n][2] == job.id then call('PERSIST', KEYS[at]) end
    end
  end
  return answers
end

-- A job alone without options, the usual case, needs no look before.
local first = jobs[1]
-- The mark of a pause is no job.
local free = cap and cap - call('ZCOUNT', keys.index, 0, '+inf')
if #jobs == 1 and not (first.unique or first.slot or stream or batch) and (not cap or free > 0)
  and call('HSETNX', keys.records, first.id .. ':p', ARGV[2]) == 1 then
  local score = first.run_at > now and delayed_score(first.run_at, first.priority) or waiting_score(now, first.priority, aging)
  call('ZADD', keys.index, score, first.id)
  return keep_blobs({ { 'new', first.id } })
end

local names = {}
for _, job in ipairs(jobs) do
  if job.slot then push(names, '#slot:' .. job.slot.name, '#plan:' .. job.slot.name) end
  if job.refused or job.on_unique == 'replace' then push(names, unpack(counter_fields())) end
end
if batch then push(names, 'b:' .. batch.id) end
local there = stream and still_there(stream, jobs)
local found = look_up(jobs, names)

local entries, answers, new, taken, replaced, parked, full, moves = {}, {}, {}, {}, {}, {}, {}, {}
-- The jobs of this call that are new, by id, and the specs to be stored.
local fresh, texts = {}, { unpack(ARGV, 2) }

local function duplicate(id, is_sooner, text, n)
  local word = is_sooner and 'sooner' or 'dup'
  if jobs[n].on_unique == 'hasten' and is_other(text, texts[n]) then word = word .. '_other' end
  return { word, id }
end

-- A job of this call stands for a later one of it.
local function hasten_twin(n, twin_n)
  local twin, job = jobs[twin_n], jobs[n]
  local text, run_at, priority = texts[twin_n], math.min(twin.run_at, job.run_at), math.min(twin.priority, job.priority)
  local is_sooner = job.on_unique == 'hasten' and (run_at < twin.run_at or priority < twin.priority)
  if is_sooner then
    twin.run_at, twin.priority = run_at, priority
    texts[twin_n] = hastened_text(text, run_at, priority)
  end
  return duplicate(twin.id, is_sooner, text, n)
end

for n, job in ipairs(jobs) do
  local spec, owner = found[n].spec, job.unique and owner_of(job.unique)
  local slot, is_first = -1, false
  if job.slot then slot, is_first = slot_of(job.slot) end
  local twin = taken[job.id] or (job.unique and taken['u:' .. job.unique])
  if there and not there[job.entry] then
    answers[n] = { 'gone', job.id }
  elseif spec ~= '' and not is_same(spec, ARGV[n + 1], job.on_unique == 'debounce') then
    answers[n] = { 'conflict', job.id }
  elseif spec ~= '' or twin then
    answers[n] = spec == '' and fresh[twin] and hasten_twin(n, fresh[twin]) or { 'dup', twin or job.id }
    if owner and owner.id == job.id then taken['u:' .. job.unique] = job.id end
    if is_first then take_slot(job.slot) end
    if spec ~= '' then
      local stored = decode(job.id, found[n].header ~= '' and found[n].header, spec)
      if job.refused then keep_refused(stored) else reindex(stored, entries) end
    end
  elseif is_first then
    answers[n] = { 'slot', job.id }
    take_slot(job.slot)
  elseif job.slot and job.slot.at <= slot then
    answers[n] = { 'slot', job.id }
  elseif job.slot and job.slot.late and not job.slot.run_late then
    answers[n] = { 'slot', job.id }
    take_slot(job.slot)
  elseif owner and job.on_unique == 'debounce' and owner.header.fence == 0 and not owner.spec.blob then
    answers[n] = { 'moved', owner.id }
    if owner.spec.group then push(parked, parked_member(owner)) end
    -- Another job of this call may find it so.
    owner.header.run_at, owner.spec.run_at, owner.spec.priority = job.run_at, job.run_at, job.priority
    owner.spec_text = texts[n]
    if owner.has_header then save(owner) end
    push(writes.records, owner.id .. ':p', texts[n])
    push(moves, job.run_at > now and delayed_score(job.run_at, job.priority) or waiting_score(now, job.priority, aging), owner.id)
  elseif owner and not (job.on_unique == 'replace' and owner.header.state == 'waiting') then
    local is_sooner = job.on_unique == 'hasten' and hasten(owner, job, moves, parked)
    answers[n] = duplicate(owner.id, is_sooner, owner.spec_text, n)
    if not is_sooner then reindex(owner, entries) end
    -- The owner has the slot's work: nobody asks for it again when that is done.
    if job.slot then take_slot(job.slot) end
  else
    answers[n] = { 'new', job.id }
    push(new, n)
    taken[job.id], fresh[job.id] = job.id, n
    if job.unique then taken['u:' .. job.unique] = job.id end
    if owner then push(replaced, owner) end
  end
end

if cap and #new > 0 and #new - #replaced > free then
  for _, n in ipairs(new) do full[jobs[n].id] = true end
  -- Also those of the call that one of them would have stood for.
  for n, answer in ipairs(answers) do
    if full[answer[2]] then answers[n] = { 'full', jobs[n].id } end
  end
else
  for _, owner in ipairs(replaced) do
    replaced[owner.id] = true
    if owner.spec.group then push(parked, parked_member(owner)) end
    add_error(owner, 'replaced by a newer job')
    finish(owner, 'cancelled')
    save(owner)
  end
  for _, n in ipairs(new) do
    local job = jobs[n]
    push(writes.records, job.id .. ':p', texts[n])
    if job.refused then
      store_refused(job, texts[n])
    else
      if job.unique then put('u:' .. job.unique, job.id) end
      push(entries, job.run_at > now and delayed_score(job.run_at, job.priority) or waiting_score(now, job.priority, aging), job.id)
    end
    if job.slot then take_slot(job.slot) end
  end
  if batch and fields['b:' .. batch.id] == '' then
    put('b:' .. batch.id, cjson.encode({ total = batch.total, left = batch.total, last = batch.last }))
  end
end
-- Before its new time is stored: cut here, a debounced job is late, not early.
if #moves > 0 then call('ZADD', keys.index, unpack(moves)) end
flush()
local kept = {}
for n = 1, #entries, 2 do
  -- Not one that stood for another before a third replaced it.
  if not replaced[entries[n + 1]] then push(kept, entries[n], entries[n + 1]) end
end
if #kept > 0 then call('ZADD', keys.index, 'NX', unpack(kept)) end
if #parked > 0 then call('ZREM', keys.parked, unpack(parked)) end
if stream then take_out(stream, jobs) end
return keep_blobs(answers)
