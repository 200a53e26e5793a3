-- group: at most so many jobs of one group are active at once; the others are parked
-- out of the way of the rest of the queue.
--
-- Returns nothing: definitions only.
local groups, freed = {}, {}

local function group(name)
  if not groups[name] then
    local text = fields['g:' .. name] or ''
    groups[name] = { holders = {}, size = 0, parked = string.sub(text, 1, 1) == '+' }
    for id in string.gmatch(text, '%w+') do
      groups[name].holders[id] = true
      groups[name].size = groups[name].size + 1
    end
  end
  return groups[name]
end

local function put_group(name)
  local ids = {}
  for id in pairs(group(name).holders) do push(ids, id) end
  table.sort(ids)
  put('g:' .. name, (group(name).parked and '+' or '') .. table.concat(ids, ' '))
end

local function hold(name, id, held)
  local this = group(name)
  if (this.holders[id] or false) == held then return end
  this.holders[id] = held or nil
  -- What is stored of it says so only when this call is over.
  if held then this.checked = true end
  this.size = this.size + (held and 1 or -1)
  put_group(name)
end

local function leave(job)
  local name = job.spec.group
  if not name then return end
  hold(name, job.id, false)
  freed[name] = true
end

-- A group that looks full is asked whether its holders are active: one whose
-- settling died half way, or was another version's, is not.
local function check_holders(names, limit)
  local ids, of = {}, {}
  for _, name in ipairs(names) do
    if group(name).size >= limit and not group(name).checked then
      group(name).checked = true
      for id in pairs(group(name).holders) do push(ids, id); of[id] = name end
    end
  end
  if #ids == 0 then return end
  table.sort(ids)
  for n, header in ipairs(call('HMGET', keys.records, unpack(ids))) do
    if not header or cjson.decode(header).state ~= 'active' then hold(of[ids[n]], ids[n], false) end
  end
end

local function parked_member(job)
  return job.spec.group .. '\0' .. string.format('%02d', job.spec.priority) .. '\0' .. job.id
end

-- Out of the way: the flag and the list before the move, so that whoever makes room
-- knows of it. Answers `parked`.
local function park(job, score)
  group(job.spec.group).parked = true
  put_group(job.spec.group)
  push(writes.parked, 0, parked_member(job))
  push(writes.unfinished, int(PARKED + score), job.id)
  return 'parked'
end

-- Lets parked jobs of the groups with room wait with the others again; answers
-- whether there were any.
local release
release = function(limit)
  local names, members, ids = {}, {}, {}
  for name in pairs(freed) do
    if group(name).parked then push(names, name) end
  end
  freed = {}
  table.sort(names)
  check_holders(names, limit)
  for _, name in ipairs(names) do
    local room = limit - group(name).size
    if room > 0 then
      local found = call('ZRANGE', keys.parked, '[' .. name .. '\0', '[' .. name .. '\1', 'BYLEX', 'LIMIT', 0, room)
      for _, member in ipairs(found) do push(members, member); push(ids, string.match(member, '%w+$')) end
      -- Those parked by this very call are not in the set yet.
      if #found < room and #writes.parked == 0 then group(name).parked = false; put_group(name) end
    end
  end
  if #ids == 0 then return false end
  local moves = {}
  for n, score in ipairs(call('ZMSCORE', keys.index, unpack(ids))) do
    local at = tonumber(score or 0)
    if at >= PARKED and at < DELAYED then push(moves, int(at - PARKED), ids[n]) end
  end
  if #moves > 0 then call('ZADD', keys.index, unpack(moves)) end
  call('ZREM', keys.parked, unpack(members))
  if #moves > 0 then return true end
  -- What was found had been left behind by a script that died: there may be more.
  for _, name in ipairs(names) do freed[name] = true end
  return release(limit)
end
