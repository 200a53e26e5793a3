-- record: reading jobs and writing what becomes of them.
--
-- A script reads all it needs with one HMGET, decides, and writes with at most one
-- command a key. The order of the writes matters: a script that dies between two of
-- them leaves a job where the next claim or sweep finds and heals it.
--
-- Returns nothing: definitions only.
local records, writes, counters, counted = nil, nil, {}, {}
local COUNTERS = { 'completed', 'failed', 'cancelled', 'retried', 'stalled' }

local function decode(id, header, spec, data)
  if not spec then return nil end
  local job = { id = id, spec_text = spec, data = data }
  job.spec = cjson.decode(string.match(spec, '^[^\n]*'))
  job.header = header and cjson.decode(header)
    or { v = 1, state = 'waiting', fence = 0, attempts = 0, stalls = 0, run_at = job.spec.run_at }
  return job
end

-- Jobs by id, and the counters of the day if they are wanted.
local function load(ids, day)
  local fields, jobs = {}, {}
  for _, id in ipairs(ids) do push(fields, id, id .. ':p', id .. ':r') end
  if day then
    for _, name in ipairs(COUNTERS) do push(fields, '#' .. name, '#' .. name .. ':' .. day) end
    push(fields, '#retained')
  end
  if #fields == 0 then return jobs end
  local values = call('HMGET', records, unpack(fields))
  for n, id in ipairs(ids) do
    jobs[id] = decode(id, values[3 * n - 2], values[3 * n - 1], values[3 * n] or '')
  end
  for n = 3 * #ids + 1, #fields do counters[fields[n]] = tonumber(values[n] or 0) end
  return jobs
end

local function count(name, day)
  for _, field in ipairs({ '#' .. name, '#' .. name .. ':' .. day }) do
    counters[field] = counters[field] + 1
    counted[field] = true
  end
end

local function save(job)
  push(writes.records, job.id, cjson.encode(job.header))
end

local function put_finished(job)
  push(writes.finished, int(FINISHED[job.header.state] + job.header.finished - EPOCH), job.id)
  push(writes.gone, job.id)
end

-- Ends a job; its unique key is free from then on.
local function finish(job, state, now, day)
  job.header.state, job.header.finished = state, now
  job.header.token, job.header.cancel = nil, nil
  if job.spec.unique then push(writes.records, 'u:' .. job.spec.unique, '') end
  put_finished(job)
  count(state, day)
end

local function add_error(job, now, message)
  local errors = job.header.errors or {}
  if #errors == ERRORS_KEPT then table.remove(errors, 1) end
  errors[#errors + 1] = { at = now, attempt = job.header.attempts, message = message }
  job.header.errors = errors
end

local function start(keys)
  records = keys.records
  writes = { keys = keys, records = {}, finished = {}, gone = {}, unfinished = {}, redriven = {} }
end

local function flush()
  local keys = writes.keys
  for field in pairs(counted) do push(writes.records, field, int(counters[field])) end
  if #writes.redriven > 0 then call('ZREM', keys.finished, unpack(writes.redriven)) end
  if #writes.records > 0 then call('HSET', keys.records, unpack(writes.records)) end
  if #writes.finished > 0 then call('ZADD', keys.finished, unpack(writes.finished)) end
  if #writes.gone > 0 then call('ZREM', keys.index, unpack(writes.gone)) end
  if #writes.unfinished > 0 then call('ZADD', keys.index, unpack(writes.unfinished)) end
end
