-- write: what a call has decided to store, written at its end.
--
-- The order of the writes matters: a script that dies between two of them must leave a job
-- where the next claim or sweep finds it and heals it.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, push)
-- Needs: tx (tx, tx.keys)
-- Needs: read (tx.fields)
-- Defines: tx.writes, put(name, value), save(job), flush()

-- Arguments for one command each: HSET of `records`, ZADD and ZREM of `finished` (`redriven`
-- leave it), ZADD and ZREM of `index` (`gone` leave it), ZADD of `parked`.
tx.writes = { records = {}, finished = {}, gone = {}, unfinished = {}, redriven = {}, parked = {} }
local changed = {}

local function put(name, value)
  tx.fields[name] = value
  changed[name] = true
end

local function save(job) push(tx.writes.records, job.id, cjson.encode(job.header)) end

-- A job enters `finished`, from where retention may delete it, only after everything that
-- follows from its end is in the index. What leaves the index leaves last: an entry that
-- stays too long is found and healed, one that goes too early is not.
local function flush()
  local names, writes, keys = {}, tx.writes, tx.keys
  for name in pairs(changed) do push(names, name) end
  table.sort(names)
  for _, name in ipairs(names) do push(writes.records, name, tx.fields[name]) end
  if #writes.parked > 0 then call('ZADD', keys.parked, unpack(writes.parked)) end
  if #writes.redriven > 0 then call('ZREM', keys.finished, unpack(writes.redriven)) end
  if #writes.records > 0 then call('HSET', keys.records, unpack(writes.records)) end
  if #writes.unfinished > 0 then call('ZADD', keys.index, unpack(writes.unfinished)) end
  if #writes.finished > 0 then call('ZADD', keys.finished, unpack(writes.finished)) end
  if #writes.gone > 0 then call('ZREM', keys.index, unpack(writes.gone)) end
end
