-- record: reading jobs and writing what becomes of them.
--
-- A script reads all it needs with one HMGET if it can, decides, and writes with at
-- most one command a key. The order of the writes matters: a script that dies
-- between two of them leaves a job where the next claim or sweep finds and heals it.
--
-- Returns nothing: definitions only.
local ERRORS_KEPT = 5
local keys, now, day, aging
local fields, changed, writes = {}, {}, {}
-- When there is something to do next, as far as this call knows: 0 for never.
local next_due = 0

local function start(request)
  keys = { index = KEYS[1], records = KEYS[2], finished = KEYS[3], parked = KEYS[4] }
  now, day, aging = request.now, request.day, request.aging
  writes = { records = {}, finished = {}, gone = {}, unfinished = {}, redriven = {}, parked = {} }
end

local function due_at(time)
  if next_due == 0 or time < next_due then next_due = time end
end

local function decode(id, header, spec, data)
  if not spec then return nil end
  local job = { id = id, spec_text = spec, data = data or '', has_header = header and true or false }
  job.spec = cjson.decode(string.match(spec, '^[^\n]*'))
  job.header = header and cjson.decode(header)
    or { v = 1, state = 'waiting', fence = 0, attempts = 0, stalls = 0, run_at = job.spec.run_at }
  return job
end

-- Jobs by id; `names` are other fields to read with them.
local function load(ids, names)
  local wanted, jobs = {}, {}
  for _, id in ipairs(ids) do push(wanted, id, id .. ':p', id .. ':r') end
  for _, name in ipairs(names or {}) do push(wanted, name) end
  if #wanted == 0 then return jobs end
  local values = call('HMGET', keys.records, unpack(wanted))
  for n, id in ipairs(ids) do
    jobs[id] = decode(id, values[3 * n - 2], values[3 * n - 1], values[3 * n])
  end
  for n = 3 * #ids + 1, #wanted do fields[wanted[n]] = values[n] or '' end
  return jobs
end

-- Reads those fields that were not read before.
local function read(names)
  local wanted, seen = {}, {}
  for _, name in ipairs(names) do
    if fields[name] == nil and not seen[name] then seen[name] = true; push(wanted, name) end
  end
  load({}, wanted)
end

local function put(name, value)
  fields[name] = value
  changed[name] = true
end

local function save(job)
  push(writes.records, job.id, cjson.encode(job.header))
end

local function wait(job, since)
  push(writes.unfinished, waiting_score(since, job.spec.priority, aging), job.id)
end

local function delay(job, run_at)
  push(writes.unfinished, delayed_score(run_at, job.spec.priority), job.id)
  due_at(run_at)
end

local function add_error(job, message)
  local errors = job.header.errors or {}
  if #errors == ERRORS_KEPT then table.remove(errors, 1) end
  errors[#errors + 1] = { at = now, attempt = job.header.attempts, message = message }
  job.header.errors = errors
end

-- A job is among the finished, where retention may forget it, only when what follows
-- from its end is in the index; and what leaves the index goes last: an entry that is
-- left over is found and healed, one that went too early is not.
local function flush()
  local names = {}
  for name in pairs(changed) do push(names, name) end
  table.sort(names)
  for _, name in ipairs(names) do push(writes.records, name, fields[name]) end
  if #writes.parked > 0 then call('ZADD', keys.parked, unpack(writes.parked)) end
  if #writes.redriven > 0 then call('ZREM', keys.finished, unpack(writes.redriven)) end
  if #writes.records > 0 then call('HSET', keys.records, unpack(writes.records)) end
  if #writes.unfinished > 0 then call('ZADD', keys.index, unpack(writes.unfinished)) end
  if #writes.finished > 0 then call('ZADD', keys.finished, unpack(writes.finished)) end
  if #writes.gone > 0 then call('ZREM', keys.index, unpack(writes.gone)) end
end
