-- forwards: a forward repeats a clip, so one row represents all of them: the original's once
-- it is known, and that of the oldest forward before.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, push, tx, tx.keys)
-- Needs: rows (list, tx.old_terms, unlist)
-- Defines: tx.forwards, tx.settled, read_forwards(ids), forward_at(id, member)
-- Defines: add_forward(id, member, posted, terms), settle(id, first, replaced)
-- Defines: write_forwards(marks, unmarked)
local FORWARDS_KEPT = 20
-- By clip: the places of its forwards, {member, time, terms}, oldest first, as they are
-- stored (text) and as they will be; whether its forwards are not listed.
local stored_forwards = {}
tx.forwards, tx.settled = {}, {}

local function read_forwards(ids)
  if #ids == 0 then return end
  for n, text in ipairs(call('HMGET', tx.keys.forwards, unpack(ids))) do
    tx.forwards[ids[n]] = text and cjson.decode(text) or {}
    stored_forwards[ids[n]] = text or ''
    for _, place in ipairs(tx.forwards[ids[n]]) do
      tx.old_terms[place[1]] = tx.old_terms[place[1]] or place[3]
    end
  end
end

local function forward_at(id, member)
  for n, place in ipairs(tx.forwards[id] or {}) do
    if place[1] == member then return n end
  end
end

local function message_and_clip(member) return string.match(member, '^%d+:(.+)$') end

local function add_forward(id, member, posted, terms)
  local places, at = tx.forwards[id], forward_at(id, member)
  if at then
    places[at][3] = terms
    return
  end
  push(places, { member, posted, terms })
  table.sort(places, function(a, b)
    local x, y = message_and_clip(a[1]), message_and_clip(b[1])
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
  if shown then list(shown[1], shown[2], shown[3] or '') end
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
