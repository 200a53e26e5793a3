-- enqueue: stores jobs, each once however often it is sent.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- KEYS[5…] as the request says: a stream to take the jobs from, then the arguments
--          in keys of their own (STRING)
-- ARGV[1]  request  JSON: now, day, aging, jobs [{id, priority, run_at, unique,
--                   on_unique (hasten, keep, replace, debounce), slot {name, plan,
--                   at, late, run_late}, entry, refused, blob}], cap, stream (whether
--                   there is one), batch {id, total, last}
-- ARGV[2…] the spec of each job, in that order
--
-- Returns {word, id} for each job: the `answer` of its case in the table at `decide`, with
-- the id of the job itself or of the one named there. `sooner` is a `dup` that now runs
-- sooner, or before more others, than before; `_other` is appended with `hasten` when that
-- job's kind or arguments differ. When the backlog has no room for the new jobs of a call,
-- they are answered `full`, and so is every job of the call that is a `dup` of one of them.
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

-- Arguments in keys of their own live as long as their job.
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

-- A new job waits since this call, whatever time before now it was given.
local function new_score(job) return index_score(math.max(job.run_at, tx.now), job.priority) end

-- A single job without options, the usual case, is stored without a look at the queue.
local first = jobs[1]
-- The mark of a pause has a score below 0 and is not counted as a job.
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

-- The specs to store. The new jobs of this call: their places in it, and their places by id.
-- The ids that have an id or a unique key of this call. The owners to replace.
local texts, new, place_of, taken, replaced = { unpack(ARGV, 2) }, {}, {}, {}, {}
-- Arguments of ZADD and ZREM: entries that may be missing, entries that move, `parked`.
local entries, moves, parked = {}, {}, {}

local function twin_of(job) return taken[job.id] or job.unique and taken['u:' .. job.unique] end

-- Says which case a job is: the first of these that holds. Reads only; `effects` acts.
--
--   case          holds if                                                    answer
--   gone          it is no longer in the stream it was read from              gone
--   conflict      its id is stored, with another kind or other arguments      conflict
--   resent        its id is stored: it was sent before                        dup (itself)
--   twin          an earlier job of this call has its id or its unique key    dup or sooner (it)
--   slot_skipped  its schedule is new or was changed, or the slot was missed  slot
--                 and missed slots are not made up for
--   slot_done     its slot, or a later one, was handled before                slot
--   new           it has no unique key, or no unfinished job has that key     new
--
-- Otherwise an unfinished job, the owner, has its unique key. Then `on_unique` decides:
--
--   debounce      debounce, if the owner was never claimed and has its        moved (the owner)
--                 arguments in its record: the owner takes over the
--                 arguments, the time and the priority
--   replace       replace, if the owner is not active: it is cancelled        new
--   owned         any other: the owner stays. With hasten, an owner that      dup or sooner
--                 was never claimed takes over the earlier time and the       (the owner)
--                 better priority
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

-- The schedule of a job that has been stored, by this call or before, counts as looked at.
local function note_first_look(job)
  if not job.slot then return end
  local _, is_first_look = slot_of(job.slot)
  if is_first_look then take_slot(job.slot) end
end

-- For each case what to do; returns the answer.
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
  -- A job that was stored before this call.
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
  -- A later job of this call may find the owner: it is to see it as it will be.
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
  -- The owner does the work of the slot: nobody is to ask for it again when that is done.
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
-- Before the new time is stored: cut here, a debounced job is late, not early.
if #moves > 0 then call('ZADD', tx.keys.index, unpack(moves)) end
flush()
local kept = {}
for n = 1, #entries, 2 do
  -- Not an owner that an earlier job found and a later one replaced.
  if not replaced[entries[n + 1]] then push(kept, entries[n], entries[n + 1]) end
end
if #kept > 0 then call('ZADD', tx.keys.index, 'NX', unpack(kept)) end
if #parked > 0 then call('ZREM', tx.keys.parked, unpack(parked)) end
if stream then delete_entries(stream, jobs) end
return keep_blobs(answers)
