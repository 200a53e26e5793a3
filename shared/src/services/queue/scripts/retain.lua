-- retain: forget finished jobs that are too old or too many, oldest first.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, aging, completed_before, failed_before (unix
--                   milliseconds), completed_count, batch, days (old counters), quiet (write
--                   nothing when nothing goes)
--
-- Returns {ids, blobs}: the ids that went, as many as `batch` if there may be more;
-- and `{id}` and `{id}:{fence}` of those with arguments or a result in a key of
-- their own, which are for the caller to delete.
local request = cjson.decode(ARGV[1])
start(request)
local finished, batch = keys.finished, request.batch

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

local gone, shared, blobs = {}, {}, {}
for _, day_before in ipairs(request.days) do
  for _, name in ipairs(COUNTERS) do push(gone, '#' .. name .. ':' .. day_before) end
end
if #ids > 0 then
  local jobs = load(ids)
  for _, id in ipairs(ids) do
    local job = jobs[id]
    -- One redriven by a call that died half way lives: it only leaves this set.
    if not job or FINISHED[job.header.state] then
      push(gone, id, id .. ':p', id .. ':r', id .. ':s')
    end
    if job and FINISHED[job.header.state] then
      if job.spec.unique then push(shared, 'u:' .. job.spec.unique) end
      if job.spec.group then push(shared, 'g:' .. job.spec.group) end
      if job.spec.batch_end then push(gone, 'b:' .. job.spec.batch_end) end
      if job.spec.blob then push(blobs, id) end
      if job.header.result == 'blob' then push(blobs, id .. ':' .. int(job.header.settled)) end
    end
  end
  -- A unique key or group that no unfinished job has taken since.
  read(shared)
  local seen = {}
  for _, name in ipairs(shared) do
    if fields[name] == '' and not seen[name] then seen[name] = true; push(gone, name) end
  end
  call('HDEL', keys.records, unpack(gone))
  call('ZREM', finished, unpack(ids))
end
if #ids > 0 or not request.quiet then call('HSET', keys.records, '#retained', int(now)) end
return { ids, blobs }
