-- group: the active jobs of each group. The group limit bounds how many jobs of a group are
-- active at once; the others are parked (see `parking`).
--
-- Returns nothing: definitions only.
--
-- Needs: base (push)
-- Needs: tx (tx)
-- Needs: read (tx.fields)
-- Needs: write (put)
-- Defines: tx.freed, group(name), put_group(name), hold(name, id, held), leave(job)
local groups = {}
-- The names of the groups that a job has left in this call.
tx.freed = {}

local function group(name)
  if not groups[name] then
    local text = tx.fields['g:' .. name] or ''
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
  -- Its stored header will say that it is active only after this call.
  if held then this.checked = true end
  this.size = this.size + (held and 1 or -1)
  put_group(name)
end

local function leave(job)
  local name = job.spec.group
  if not name then return end
  hold(name, job.id, false)
  tx.freed[name] = true
end
