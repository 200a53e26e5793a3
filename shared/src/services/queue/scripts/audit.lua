-- audit: find jobs that no set holds, or the wrong one, and put them where they
-- belong: after a failover that lost the last writes, or half of a script's.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, aging, count, parked (whether to look for parked
--                   jobs), cursor (none: where the last call without one ended)
--
-- Returns {cursor, seen, mended}: where to go on (`0`: nowhere), how many
-- jobs were looked at, and the ids of those put right.
local request = cjson.decode(ARGV[1])
start(request)
if not request.cursor then read({ '#audit' }) end
local cursor = request.cursor or tonumber(fields['#audit']) and fields['#audit'] or '0'
-- Parked jobs wait again when a walk begins: who has no record or no room is found
-- by the next claim, and who has is let in.
if cursor == '0' and request.parked then
  local moves = {}
  local parked = call('ZRANGE', keys.index, int(PARKED), int(DELAYED - 1), 'BYSCORE', 'LIMIT', 0, 500, 'WITHSCORES')
  for n = 1, #parked, 2 do push(moves, int(tonumber(parked[n + 1]) - PARKED), parked[n]) end
  if #moves > 0 then call('ZADD', keys.index, unpack(moves)) end
end
local page = call('HSCAN', keys.records, cursor, 'COUNT', request.count)
if not request.cursor and cursor ~= page[1] then put('#audit', page[1]) end
local ids, mended = {}, {}
for n = 1, #page[2], 2 do
  local id = string.match(page[2][n], '^(%w+):p$')
  -- A unique key or a group may look like one, but is never as long as an id.
  if id and #id == 26 then push(ids, id) end
end
if #ids == 0 then flush() return { page[1], 0, mended } end
local jobs = load(ids)
local indexed = call('ZMSCORE', keys.index, unpack(ids))
local finished = call('ZMSCORE', keys.finished, unpack(ids))
local gone, absent = {}, {}
for n, id in ipairs(ids) do
  local job = jobs[id]
  local is_finished = job and FINISHED[job.header.state]
  local is_active = job and job.header.state == 'active'
  local active = indexed[n] and tonumber(indexed[n]) >= ACTIVE
  local score = is_finished and is_finished + (job.header.finished or now) - EPOCH
  if is_finished and tonumber(finished[n] or -1) ~= score then
    push(absent, int(score), id)
    push(mended, id)
  end
  if is_finished and indexed[n] then
    push(gone, id)
  elseif job and not is_finished then
    if finished[n] and not job.header.redriven then push(writes.redriven, id) end
    if is_active and not active then
      -- Whoever runs it renews in time; otherwise the sweep takes it back.
      push(writes.unfinished, int(ACTIVE + now - EPOCH + 60000), id)
      push(mended, id)
    elseif not is_active and (not indexed[n] or active) then
      if job.header.run_at > now then delay(job, job.header.run_at) else wait(job, job.header.run_at) end
      push(mended, id)
    end
  end
end
push(writes.finished, unpack(absent))
push(writes.gone, unpack(gone))
flush()
return { page[1], #ids, mended }
