-- read: reads jobs and other fields of `records`.
--
-- A script reads everything it needs with one HMGET if it can. Then it decides, and writes with
-- at most one command for each key.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, push)
-- Needs: tx (tx, tx.keys)
-- Defines: tx.fields, decode(id, header, spec, data), load(ids, names), read(names)

-- The fields that were read or written so far, by name; '' if a field does not exist.
tx.fields = {}

local function decode(id, header, spec, data)
  if not spec then return nil end
  local job = { id = id, spec_text = spec, data = data or '', has_header = header and true or false }
  job.spec = cjson.decode(string.match(spec, '^[^\n]*'))
  job.header = header and cjson.decode(header)
    or { v = 1, state = 'waiting', fence = 0, attempts = 0, stalls = 0, run_at = job.spec.run_at }
  return job
end

-- Returns jobs by id. `names` are other fields to read in the same command.
local function load(ids, names)
  local wanted, jobs = {}, {}
  for _, id in ipairs(ids) do push(wanted, id, id .. ':p', id .. ':r') end
  for _, name in ipairs(names or {}) do push(wanted, name) end
  if #wanted == 0 then return jobs end
  local values = call('HMGET', tx.keys.records, unpack(wanted))
  for n, id in ipairs(ids) do
    jobs[id] = decode(id, values[3 * n - 2], values[3 * n - 1], values[3 * n])
  end
  for n = 3 * #ids + 1, #wanted do tx.fields[wanted[n]] = values[n] or '' end
  return jobs
end

-- Reads the fields that were not read before.
local function read(names)
  local wanted, seen = {}, {}
  for _, name in ipairs(names) do
    if tx.fields[name] == nil and not seen[name] then seen[name] = true; push(wanted, name) end
  end
  load({}, wanted)
end
