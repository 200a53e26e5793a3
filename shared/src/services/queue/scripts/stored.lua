-- stored: what an enqueue finds of the jobs it was sent: each one's own spec and
-- header, and the unfinished owner of its unique key.
--
-- Returns nothing: definitions only.
local owners = {}

-- Reads all, with `names`; answers spec, header and owner for each job.
local function look_up(jobs, names)
  local wanted, ids, found = {}, {}, {}
  for _, job in ipairs(jobs) do
    push(wanted, job.id .. ':p', job.id)
    if job.unique then push(wanted, 'u:' .. job.unique) end
  end
  push(wanted, unpack(names))
  load({}, wanted)
  for n, job in ipairs(jobs) do
    local owner = job.unique and fields['u:' .. job.unique] or ''
    if owner ~= '' then push(ids, owner) end
    found[n] = { spec = fields[job.id .. ':p'], header = fields[job.id] }
  end
  if #ids > 0 then
    owners = load(ids)
    read(related(owners))
  end
  return found
end

-- The unfinished job that has a unique key.
local function owner_of(key)
  local owner = owners[fields['u:' .. key] or '']
  return owner and not FINISHED[owner.header.state] and owner or nil
end

-- Whether a stored job is the one that is sent: the same type with the same
-- arguments. The time it was sent differs when it is sent again later, and its
-- options may have been changed since.
local function is_same(stored, sent, debounced)
  if stored == sent then return true end
  local is_at, was_at = string.find(sent, '\n', 1, true), string.find(stored, '\n', 1, true)
  local is, was = cjson.decode(string.sub(sent, 1, is_at)), cjson.decode(string.sub(stored, 1, was_at))
  if is.kind ~= was.kind or is.batch ~= was.batch then return false end
  -- One that was debounced since has another's arguments.
  if debounced and is.unique and is.unique == was.unique then return true end
  return is.blob == was.blob and string.sub(sent, is_at) == string.sub(stored, was_at)
end

-- The newest slot of a schedule that was seen to, and whether this is the first look at
-- the schedule: under its name, or since it became another. A slot that began before the
-- first look is nobody's.
local function slot_of(slot)
  local seen, plan = tonumber(fields['#slot:' .. slot.name]) or -1, fields['#plan:' .. slot.name]
  return seen, seen < 0 or plan ~= '' and slot.plan ~= nil and plan ~= slot.plan
end

local function take_slot(slot)
  local seen = slot_of(slot)
  put('#slot:' .. slot.name, int(math.max(slot.at, seen)))
  if slot.plan and fields['#plan:' .. slot.name] ~= slot.plan then put('#plan:' .. slot.name, slot.plan) end
end

-- A job that stands for another. One stored but never claimed may have missed the
-- index, if the call that stored it died.
local function reindex(job, entries)
  if job.header.fence > 0 or FINISHED[job.header.state] then return end
  local at, priority = job.spec.run_at, job.spec.priority
  push(entries, at > now and delayed_score(at, priority) or waiting_score(at, priority, aging), job.id)
end
