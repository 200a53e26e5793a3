-- enqueue: stores jobs. A job that is sent several times is stored once.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- KEYS[5…] if the request says so: the stream that the jobs come from, then the keys of large
--          arguments (STRING)
-- ARGV[1]  request  JSON: now, day, aging, jobs [{id, priority, run_at, unique,
--                   on_unique (hasten, keep, replace, debounce), slot {name, plan,
--                   at, late, run_late}, entry, refused, blob}], cap, stream (whether
--                   there is one), batch {id, total, last}
-- ARGV[2…] the spec of each job, in the same order
--
-- Returns {word, id} for each job. The word is the `answer` of its case in the table at
-- `decide`; the id is the job's own, or that of the job named there. `sooner` is a `dup` that
-- made the other job run sooner, or ahead of more jobs, than before. With `hasten`, `_other` is
-- appended if the other job has a different kind or different arguments. If the backlog has no
-- room for all new jobs of a call, they are answered `full`, and so is each of their duplicates
-- in the call.
--
-- Needs: base (call, push)
-- Needs: tx (start, tx.keys, tx.now)
-- Needs: read (decode, tx.fields)
-- Needs: write (flush, put, save, tx.writes)
-- Needs: score (index_score)
-- Needs: errors (add_error)
-- Needs: count (counter_fields)
-- Needs: parked (parked_member)
-- Needs: finish (finish)
-- Needs: slot (slot_of, take_slot)
-- Needs: stored (is_same, look_up, owner_of, reindex)
-- Needs: hasten (hasten, hastened_text, is_other)
-- Needs: ingest (delete_entries, entries_left, keep_refused, store_refused)
local request = cjson.decode(ARGV[1])
start(request)
local jobs, cap, batch = request.jobs, request.cap, request.batch
local stream = request.stream and KEYS[5]

-- Removes the expiry of arguments in keys of their own, so that they live as long as their job.
local function keep_blobs(answers)
  local at = stream and 5 or 4
  for n, job in ipairs(jobs) do
    if job.blob then
      at = at + 1
      local word, id = unpack(answers[n])
      if word == 'new' or word == 'dup' and id == job.id then call('PERSIST', KEYS[at]) end
    end
  end
  return answers
end

-- A new job waits from the time of this call on, even if its own time is in the past.
local function new_score(job) return index_score(math.max(job.run_at, tx.now), job.priority) end

-- The usual case, a single job without options, is stored without reading the queue.
local first = jobs[1]
-- The range starts at 0, so the member that marks a pause (score -1) is not counted as a job.
local free = cap and cap - call('ZCOUNT', tx.keys.index, 0, '+inf')
if #jobs == 1 and not (first.unique or first.slot or stream or batch) and (not cap or free > 0)
  and call('HSETNX', tx.keys.records, first.id .. ':p', ARGV[2]) == 1 then
  call('ZADD', tx.keys.index, new_score(first), first.id)
  return keep_blobs({ { 'new', first.id } })
end

local names = {}
for _, job in ipairs(jobs) do
  if job.slot then push(names, '#slot:' .. job.slot.name, '#plan:' .. job.slot.name) end
  if job.refused or job.on_unique == 'replace' then push(names, unpack(counter_fields())) end
end
if batch then push(names, 'b:' .. batch.id) end
local in_stream = stream and entries_left(stream, jobs)
local found = look_up(jobs, names)

-- texts: the specs to store. new: the positions of this call's new jobs. place_of: the same, by
-- id. taken: for each id and unique key of this call, the job that has it. replaced: the owners
-- to replace.
local texts, new, place_of, taken, replaced = { unpack(ARGV, 2) }, {}, {}, {}, {}
-- Arguments of ZADD and ZREM: entries that may be missing, entries that move, parked entries
-- to remove.
local entries, moves, parked = {}, {}, {}

local function twin_of(job) return taken[job.id] or job.unique and taken['u:' .. job.unique] end

-- Returns the case of a job: the first of these that holds. It only reads; `effects` acts.
--
--   case          holds if                                                    answer
--   gone          it is no longer in the stream it was read from              gone
--   conflict      its id is stored with another kind or other arguments       conflict
--   resent        its id is stored with the same: it was sent before          dup (itself)
--   twin          an earlier job of this call has its id or its unique key    dup or sooner
--                                                                             (that job)
--   slot_skipped  its schedule is new or has changed, or its slot was missed  slot
--                 and missed slots get no job
--   slot_done     its slot, or a later one, was handled before                slot
--   new           it has no unique key, or no unfinished job has that key     new
--
-- Otherwise an unfinished job, the owner, has the job's unique key, and `on_unique` decides:
--
--   debounce      on_unique is debounce, the owner was never claimed, and     moved (the owner)
--                 the owner's arguments are in its record: the owner takes
--                 over the arguments, the time and the priority
--   replace       on_unique is replace and the owner is not active: the       new
--                 owner is cancelled
--   owned         anything else: the owner stays. With hasten, an owner that  dup or sooner
--                 was never claimed takes the earlier time and the better     (the owner)
--                 priority
local function decide(job, n)
  local spec = found[n].spec
  if in_stream and not in_stream[job.entry] then return 'gone' end
  if spec ~= '' and not is_same(spec, ARGV[n + 1], job.on_unique == 'debounce') then return 'conflict' end
  if spec ~= '' then return 'resent' end
  if twin_of(job) then return 'twin' end
  if job.slot then
    local seen, is_first_look = slot_of(job.slot)
    if is_first_look then return 'slot_skipped' end
    if job.slot.at <= seen then return 'slot_done' end
    if job.slot.late and not job.slot.run_late then return 'slot_skipped' end
  end
  local owner = job.unique and owner_of(job.unique)
  if not owner then return 'new' end
  local can_debounce = owner.header.fence == 0 and not owner.spec.blob
  if job.on_unique == 'debounce' and can_debounce then return 'debounce', owner end
  if job.on_unique == 'replace' and owner.header.state == 'waiting' then return 'replace', owner end
  return 'owned', owner
end

local function duplicate(id, is_sooner, text, n)
  local word = is_sooner and 'sooner' or 'dup'
  if jobs[n].on_unique == 'hasten' and is_other(text, texts[n]) then word = word .. '_other' end
  return { word, id }
end

-- Once a job of a schedule is stored, by this call or earlier, the first look at the schedule
-- is over.
local function note_first_look(job)
  if not job.slot then return end
  local _, is_first_look = slot_of(job.slot)
  if is_first_look then take_slot(job.slot) end
end

-- What to do in each case. Each function returns the answer.
local effects = {}

function effects.gone(job) return { 'gone', job.id } end

function effects.conflict(job) return { 'conflict', job.id } end

function effects.resent(job, n)
  local answer = { 'dup', twin_of(job) or job.id }
  local owner = job.unique and owner_of(job.unique)
  if owner and owner.id == job.id then taken['u:' .. job.unique] = job.id end
  note_first_look(job)
  local stored = decode(job.id, found[n].header ~= '' and found[n].header, found[n].spec)
  if job.refused then keep_refused(stored) else reindex(stored, entries) end
  return answer
end

function effects.twin(job, n)
  local at, is_sooner = place_of[twin_of(job)], false
  note_first_look(job)
  -- The twin was stored before this call.
  if not at then return { 'dup', twin_of(job) } end
  local twin, text = jobs[at], texts[at]
  if job.on_unique == 'hasten' then
    local run_at, priority = math.min(twin.run_at, job.run_at), math.min(twin.priority, job.priority)
    is_sooner = run_at < twin.run_at or priority < twin.priority
    twin.run_at, twin.priority = run_at, priority
    if is_sooner then texts[at] = hastened_text(text, run_at, priority) end
  end
  return duplicate(twin.id, is_sooner, text, n)
end

function effects.slot_skipped(job)
  take_slot(job.slot)
  return { 'slot', job.id }
end

function effects.slot_done(job) return { 'slot', job.id } end

function effects.debounce(job, n, owner)
  if owner.spec.group then push(parked, parked_member(owner)) end
  -- A later job of this call may find the owner, and must see it in its new form.
  owner.header.run_at, owner.spec.run_at, owner.spec.priority = job.run_at, job.run_at, job.priority
  owner.spec_text = texts[n]
  if owner.has_header then save(owner) end
  push(tx.writes.records, owner.id .. ':p', texts[n])
  push(moves, new_score(job), owner.id)
  return { 'moved', owner.id }
end

function effects.owned(job, n, owner)
  local is_sooner = job.on_unique == 'hasten' and hasten(owner, job, moves, parked)
  if not is_sooner then reindex(owner, entries) end
  -- The owner does the work of the slot, so the slot must not get another job after it.
  if job.slot then take_slot(job.slot) end
  return duplicate(owner.id, is_sooner, owner.spec_text, n)
end

function effects.new(job, n, owner)
  push(new, n)
  taken[job.id], place_of[job.id] = job.id, n
  if job.unique then taken['u:' .. job.unique] = job.id end
  if owner then push(replaced, owner) end
  return { 'new', job.id }
end

effects.replace = effects.new

local answers = {}
for n, job in ipairs(jobs) do
  local case, owner = decide(job, n)
  answers[n] = effects[case](job, n, owner)
end

if cap and #new > 0 and #new - #replaced > free then
  local full = {}
  for _, n in ipairs(new) do full[jobs[n].id] = true end
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
    push(tx.writes.records, job.id .. ':p', texts[n])
    if job.refused then
      store_refused(job, texts[n])
    else
      if job.unique then put('u:' .. job.unique, job.id) end
      push(entries, new_score(job), job.id)
    end
    if job.slot then take_slot(job.slot) end
  end
  if batch and tx.fields['b:' .. batch.id] == '' then
    put('b:' .. batch.id, cjson.encode({ total = batch.total, left = batch.total, last = batch.last }))
  end
end
-- Before the new time is stored: if the script dies here, a debounced job is late, not early.
if #moves > 0 then call('ZADD', tx.keys.index, unpack(moves)) end
flush()
local kept = {}
for n = 1, #entries, 2 do
  -- Skips an owner that an earlier job found and a later one replaced.
  if not replaced[entries[n + 1]] then push(kept, entries[n], entries[n + 1]) end
end
if #kept > 0 then call('ZADD', tx.keys.index, 'NX', unpack(kept)) end
if #parked > 0 then call('ZREM', tx.keys.parked, unpack(parked)) end
if stream then delete_entries(stream, jobs) end
return keep_blobs(answers)
