-- audit: finds jobs that are in no set, or in the wrong one, and puts them back. A failover
-- leaves such jobs behind if it lost the last writes, or part of a script's writes.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, aging, count, parked (whether to look for parked
--                   jobs), cursor (none: where the last call without one ended)
--
-- Returns {cursor, seen, repaired}: where to continue (`0` at the end), the number of jobs
-- that were checked, and the ids of those that were repaired.
--
-- Needs: base (call, int, push)
-- Needs: layout (ACTIVE, DELAYED, EPOCH, FINISHED, PARKED)
-- Needs: tx (start, tx.keys, tx.now)
-- Needs: read (load, read, tx.fields)
-- Needs: write (flush, put, tx.writes)
-- Needs: schedule (schedule)
-- The lease that an active job gets when it has lost its place.
local LEASE = 60000
-- A job id is a ULID.
local ID_LENGTH = 26
local request = cjson.decode(ARGV[1])
start(request)
if not request.cursor then read({ '#audit' }) end
local cursor = request.cursor or tonumber(tx.fields['#audit']) and tx.fields['#audit'] or '0'
-- At the start of a walk, parked jobs become waiting. The next claim removes those without a
-- record, parks those without room again, and takes the others.
if cursor == '0' and request.parked then
  local moves = {}
  local parked = call('ZRANGE', tx.keys.index, int(PARKED), int(DELAYED - 1), 'BYSCORE', 'LIMIT', 0, 500, 'WITHSCORES')
  for n = 1, #parked, 2 do push(moves, int(tonumber(parked[n + 1]) - PARKED), parked[n]) end
  if #moves > 0 then call('ZADD', tx.keys.index, unpack(moves)) end
end
local page = call('HSCAN', tx.keys.records, cursor, 'COUNT', request.count)
if not request.cursor and cursor ~= page[1] then put('#audit', page[1]) end
local ids, repaired = {}, {}
for n = 1, #page[2], 2 do
  local id = string.match(page[2][n], '^(%w+):p$')
  -- A unique key or a group may look like an id, but never has the length of one.
  if id and #id == ID_LENGTH then push(ids, id) end
end
if #ids == 0 then flush() return { page[1], 0, repaired } end
local jobs = load(ids)
local indexed = call('ZMSCORE', tx.keys.index, unpack(ids))
local finished = call('ZMSCORE', tx.keys.finished, unpack(ids))
local gone, missing = {}, {}
for n, id in ipairs(ids) do
  local job = jobs[id]
  local is_finished = job and FINISHED[job.header.state]
  local is_active = job and job.header.state == 'active'
  local active = indexed[n] and tonumber(indexed[n]) >= ACTIVE
  local score = is_finished and is_finished + (job.header.finished or tx.now) - EPOCH
  if is_finished and tonumber(finished[n] or -1) ~= score then
    push(missing, int(score), id)
    push(repaired, id)
  end
  if is_finished and indexed[n] then
    push(gone, id)
  elseif job and not is_finished then
    if finished[n] and not job.header.redriven then push(tx.writes.redriven, id) end
    if is_active and not active then
      -- If a worker still runs it, the worker renews it in time. If not, the sweep takes it
      -- back.
      push(tx.writes.unfinished, int(ACTIVE + tx.now + LEASE - EPOCH), id)
      push(repaired, id)
    elseif not is_active and (not indexed[n] or active) then
      schedule(job, job.header.run_at)
      push(repaired, id)
    end
  end
end
push(tx.writes.finished, unpack(missing))
push(tx.writes.gone, unpack(gone))
flush()
return { page[1], #ids, repaired }
