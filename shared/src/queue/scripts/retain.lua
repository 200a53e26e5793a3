-- retain: forget finished jobs that are too old or too many, oldest first.
--
-- KEYS[1]  jobs:{queue}:records   HASH  the jobs
-- KEYS[2]  jobs:{queue}:finished  ZSET  finished jobs
-- ARGV[1]  request  JSON: now, completed_before, failed_before (unix
--                   milliseconds), completed_count, batch, days (old counters)
--
-- Returns the ids that went. As many as `batch`: call again.
local request = cjson.decode(ARGV[1])
local records, finished, batch = KEYS[1], KEYS[2], request.batch

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

local fields, uniques = {}, {}
for _, day in ipairs(request.days) do
  for _, name in ipairs(COUNTERS) do push(fields, '#' .. name .. ':' .. day) end
end
if #ids > 0 then
  local parts = {}
  for _, id in ipairs(ids) do push(parts, id, id .. ':p') end
  local values = call('HMGET', records, unpack(parts))
  for n, id in ipairs(ids) do
    local job = decode(id, values[2 * n - 1], values[2 * n])
    -- One redriven by a call that died half way lives: it only leaves this set.
    if not job or FINISHED[job.header.state] then
      push(fields, id, id .. ':p', id .. ':r', id .. ':s')
      if job and job.spec.unique then push(uniques, 'u:' .. job.spec.unique) end
    end
  end
  -- A unique key that no unfinished job has taken since.
  if #uniques > 0 then
    for n, owner in ipairs(call('HMGET', records, unpack(uniques))) do
      if owner == '' then push(fields, uniques[n]) end
    end
  end
  if #fields > 0 then call('HDEL', records, unpack(fields)) end
  call('ZREM', finished, unpack(ids))
end
call('HSET', records, '#retained', int(request.now))
return ids
