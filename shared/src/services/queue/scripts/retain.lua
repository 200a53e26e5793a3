-- retain: deletes finished jobs that are too old or too many, oldest first.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, aging, completed_before, failed_before (unix
--                   milliseconds), completed_count, batch, days (old counters), quiet (write
--                   nothing if nothing is deleted)
--
-- Returns {ids, blobs}. The ids are those of the deleted jobs; if there are as many as `batch`,
-- more jobs may be due. The blobs are those for the caller to delete, as `delete_forgotten`
-- returns them.
--
-- Needs: base (call, int, push)
-- Needs: layout (COUNTERS, EPOCH, FINISHED)
-- Needs: tx (start, tx.keys, tx.now)
-- Needs: read (load)
-- Needs: forget (delete_forgotten, forget)
local request = cjson.decode(ARGV[1])
start(request)
local finished, batch = tx.keys.finished, request.batch

local ids = {}
local function range(state, before)
  if #ids >= batch then return end
  local band = FINISHED[state]
  local found = call('ZRANGE', finished, int(band), int(band + before - EPOCH), 'BYSCORE', 'LIMIT', 0, batch - #ids)
  push(ids, unpack(found))
end
range('completed', request.completed_before)
if #ids < batch then
  local extra = call('ZCOUNT', finished, 0, int(FINISHED.failed - 1)) - request.completed_count
  if extra > #ids then
    ids = call('ZRANGE', finished, 0, math.min(extra, batch) - 1)
  end
end
range('failed', request.failed_before)
range('cancelled', request.failed_before)

local forgotten = {}
if #ids > 0 then
  local names, jobs = {}, load(ids)
  for _, day in ipairs(request.days) do
    for _, name in ipairs(COUNTERS) do push(names, '#' .. name .. ':' .. day) end
  end
  for _, id in ipairs(ids) do
    local job = jobs[id]
    local is_finished = job and FINISHED[job.header.state]
    if is_finished then forget(job) end
    -- A job whose redrive died halfway is unfinished, so it is only removed from this set.
    if not job or is_finished then push(names, id, id .. ':p', id .. ':r', id .. ':s') end
  end
  forgotten = delete_forgotten(ids, names)
end
if #ids > 0 or not request.quiet then call('HSET', tx.keys.records, '#retained', int(tx.now)) end
return { ids, forgotten }
