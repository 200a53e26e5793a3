-- pick: finds the waiting jobs that come next, and how many jobs may be active in the queue.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, int, push)
-- Needs: layout (ACTIVE, PARKED, PAUSE)
-- Needs: tx (tx.keys)
-- Defines: pick(limit), active_room(limit, n_ended)

-- Returns ids in score order, the scores by id, and whether the queue is paused.
local function pick(limit)
  local found = call('ZRANGE', tx.keys.index, -1, int(PARKED - 1), 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
  local ids, scores = {}, {}
  if found[1] == PAUSE then return ids, scores, true end
  for n = 1, #found, 2 do
    push(ids, found[n])
    scores[found[n]] = tonumber(found[n + 1])
  end
  return ids, scores, false
end

-- Returns how many more jobs may be active in the whole queue. `n_ended` is the number of leases
-- that are still in the index but end with this call.
local function active_room(limit, n_ended)
  return math.max(0, limit - call('ZCOUNT', tx.keys.index, int(ACTIVE), '+inf') + n_ended)
end
