-- forwards: a forward repeats a clip, so one row represents all of them: the original's once
-- it is known, and that of the oldest forward before.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, push, tx, tx.keys)
-- Needs: rows (field_of, list, unlist)
-- Defines: tx.forwards, tx.settled, read_forwards(ids), forward_at(id, member)
-- Defines: add_forward(id, member, posted), settle(id, first, replaced)
-- Defines: write_forwards(marks, unmarked)
local FORWARDS_KEPT = 20
-- By clip: the places of its forwards, {member, time}, oldest first, as they are stored
-- (text) and as they will be; whether its forwards are not listed.
local stored_forwards = {}
tx.forwards, tx.settled = {}, {}

local function read_forwards(ids)
  if #ids == 0 then return end
  for n, text in ipairs(call('HMGET', tx.keys.forwards, unpack(ids))) do
    tx.forwards[ids[n]] = text and cjson.decode(text) or {}
    stored_forwards[ids[n]] = text or ''
  end
end

local function forward_at(id, member)
  for n, place in ipairs(tx.forwards[id] or {}) do
    if place[1] == member then return n end
  end
end

local function add_forward(id, member, posted)
  if forward_at(id, member) then return end
  local places = tx.forwards[id]
  push(places, { member, posted })
  table.sort(places, function(a, b)
    local x, y = field_of(a[1]), field_of(b[1])
    return x < y or (x == y and a[1] < b[1])
  end)
  if #places > FORWARDS_KEPT then table.remove(places) end
end

-- Lists the forward that represents the clip, or none. Calls `replaced` with each row that
-- another represents from now on.
local function settle(id, first, replaced)
  local places = tx.forwards[id]
  local shown = not tx.settled[id] and places[1]
  if first and (not shown or shown[1] ~= first[1]) and unlist(first[1]) then
    replaced(first[1])
  end
  if shown then list(shown[1], shown[2]) end
end

local function write_forwards(marks, unmarked)
  local kept, gone = {}, {}
  for id, places in pairs(tx.forwards) do
    local text = #places > 0 and cjson.encode(places) or ''
    if text ~= stored_forwards[id] then
      if text == '' then
        push(gone, id)
        push(unmarked, '>' .. id)
      else
        push(kept, id, text)
        push(marks, '>' .. id)
      end
    end
  end
  if #kept > 0 then call('HSET', tx.keys.forwards, unpack(kept)) end
  if #gone > 0 then call('HDEL', tx.keys.forwards, unpack(gone)) end
end
