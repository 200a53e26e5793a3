-- write: collects what a call has decided to store, and writes it at the end of the call.
--
-- The order of the writes matters. If a script dies between two of them, the next claim or
-- sweep must find the job and heal it.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, push)
-- Needs: tx (tx, tx.keys)
-- Needs: read (tx.fields)
-- Defines: tx.writes, put(name, value), save(job), flush()

-- The arguments of one command each: HSET of `records`; ZADD of `finished` and ZREM of it
-- (`redriven`); ZADD of `index` (`unfinished`) and ZREM of it (`gone`); ZADD of `parked`.
tx.writes = { records = {}, finished = {}, gone = {}, unfinished = {}, redriven = {}, parked = {} }
local changed = {}

local function put(name, value)
  tx.fields[name] = value
  changed[name] = true
end

local function save(job) push(tx.writes.records, job.id, cjson.encode(job.header)) end

-- Retention may delete a job once it is in `finished`, so a job enters it only after all
-- consequences of its end are in the index. Entries leave the index last: an entry that stays
-- too long is found and healed, but an entry that leaves too early is lost.
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
