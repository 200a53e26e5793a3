-- parking: moves jobs whose group is full behind all waiting jobs, so that they do not block the
-- rest of the queue, and moves them back when their group has room.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, int, push)
-- Needs: layout (PARKED, DELAYED)
-- Needs: tx (tx.keys)
-- Needs: read (read)
-- Needs: write (tx.writes)
-- Needs: group (tx.freed, group, hold, put_group)
-- Needs: parked (parked_member)
-- Defines: is_full(job, limit), check_holders(names, limit), park(job, score)
-- Defines: release(limit), release_found(sampled, limit)

local function is_full(job, limit)
  local name = limit and job and job.spec.group
  return name and not group(name).holders[job.id] and group(name).size >= limit
end

-- Checks, for each group that looks full, whether its holders are active. A holder that was
-- settled by an older version, or by a script that died halfway, is not.
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
  for n, header in ipairs(call('HMGET', tx.keys.records, unpack(ids))) do
    if not header or cjson.decode(header).state ~= 'active' then hold(of[ids[n]], ids[n], false) end
  end
end

-- Parks a job. The flag and the list are written before the job moves, so that a script that
-- makes room finds the job.
local function park(job, score)
  group(job.spec.group).parked = true
  put_group(job.spec.group)
  push(tx.writes.parked, 0, parked_member(job))
  push(tx.writes.unfinished, int(PARKED + score), job.id)
end

-- Moves parked jobs back to the waiting ones, if their group has room. Returns whether it moved
-- any.
local function release(limit)
  while true do
    local names, members, ids = {}, {}, {}
    for name in pairs(tx.freed) do
      if group(name).parked then push(names, name) end
    end
    tx.freed = {}
    table.sort(names)
    check_holders(names, limit)
    for _, name in ipairs(names) do
      local room = limit - group(name).size
      if room > 0 then
        local found = call('ZRANGE', tx.keys.parked, '[' .. name .. '\0', '[' .. name .. '\1', 'BYLEX', 'LIMIT', 0, room)
        for _, member in ipairs(found) do push(members, member); push(ids, string.match(member, '%w+$')) end
        -- Jobs that this call parks are not in the set yet.
        if #found < room and #tx.writes.parked == 0 then group(name).parked = false; put_group(name) end
      end
    end
    if #ids == 0 then return false end
    local moves = {}
    for n, score in ipairs(call('ZMSCORE', tx.keys.index, unpack(ids))) do
      local at = tonumber(score or 0)
      if at >= PARKED and at < DELAYED then push(moves, int(at - PARKED), ids[n]) end
    end
    if #moves > 0 then call('ZADD', tx.keys.index, unpack(moves)) end
    call('ZREM', tx.keys.parked, unpack(members))
    if #moves > 0 then return true end
    -- Everything that was found was left behind by a script that died, so there may be more.
    for _, name in ipairs(names) do tx.freed[name] = true end
  end
end

-- Like `release`, but also for the groups of the sampled members of `parked`, because the script
-- that should have released them may have died.
local function release_found(sampled, limit)
  local names = {}
  for _, member in ipairs(sampled) do tx.freed[string.match(member, '^%Z*')] = true end
  for name in pairs(tx.freed) do push(names, 'g:' .. name) end
  table.sort(names)
  read(names)
  for _, member in ipairs(sampled) do group(string.match(member, '^%Z*')).parked = true end
  return release(limit)
end
