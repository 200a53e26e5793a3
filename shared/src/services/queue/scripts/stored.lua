-- stored: looks up what the queue already has for the jobs of an enqueue: each job's own spec
-- and header, and the unfinished owner of its unique key.
--
-- Returns nothing: definitions only.
--
-- Needs: base (push)
-- Needs: layout (FINISHED)
-- Needs: read (load, read, tx.fields)
-- Needs: score (index_score)
-- Needs: finish (related)
-- Defines: look_up(jobs, names), owner_of(key), is_same(stored, sent, debounced)
-- Defines: reindex(job, entries)
local owners = {}

-- Reads all of it, and the fields `names`. Returns spec and header for each job.
local function look_up(jobs, names)
  local wanted, ids, found = {}, {}, {}
  for _, job in ipairs(jobs) do
    push(wanted, job.id .. ':p', job.id)
    if job.unique then push(wanted, 'u:' .. job.unique) end
  end
  push(wanted, unpack(names))
  load({}, wanted)
  for n, job in ipairs(jobs) do
    local owner = job.unique and tx.fields['u:' .. job.unique] or ''
    if owner ~= '' then push(ids, owner) end
    found[n] = { spec = tx.fields[job.id .. ':p'], header = tx.fields[job.id] }
  end
  if #ids > 0 then
    owners = load(ids)
    read(related(owners))
  end
  return found
end

-- Returns the unfinished job that has a unique key.
local function owner_of(key)
  local owner = owners[tx.fields['u:' .. key] or '']
  return owner and not FINISHED[owner.header.state] and owner or nil
end

-- Returns whether a stored job is the one that was sent: it has the same kind and the same
-- arguments. Nothing else is compared, because a job that is sent again has a later enqueue
-- time, and its options may have been changed in the meantime.
local function is_same(stored, sent, debounced)
  if stored == sent then return true end
  local is_at, was_at = string.find(sent, '\n', 1, true), string.find(stored, '\n', 1, true)
  local is, was = cjson.decode(string.sub(sent, 1, is_at)), cjson.decode(string.sub(stored, 1, was_at))
  if is.kind ~= was.kind or is.batch ~= was.batch then return false end
  -- A job that was debounced in the meantime has another job's arguments.
  if debounced and is.unique and is.unique == was.unique then return true end
  return is.blob == was.blob and string.sub(sent, is_at) == string.sub(stored, was_at)
end

-- Puts a stored job that was never claimed back into the index. It may be missing if the call
-- that stored it died.
local function reindex(job, entries)
  if job.header.fence > 0 or FINISHED[job.header.state] then return end
  push(entries, index_score(job.spec.run_at, job.spec.priority), job.id)
end
