-- pick: which waiting jobs come next, and how many of them may be claimed now.
--
-- Returns nothing: definitions only.

-- Ids in the order of their scores, the scores by id, and whether the queue is paused.
local function pick(limit)
  local found = call('ZRANGE', keys.index, -1, int(WAITING_END), 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
  local ids, scores = {}, {}
  if found[1] == PAUSE then return ids, scores, true end
  for n = 1, #found, 2 do
    push(ids, found[n])
    scores[found[n]] = tonumber(found[n + 1])
  end
  return ids, scores, false
end

-- How many more may be active in the whole queue, `left` of those counted being over.
local function active_room(limit, left)
  return math.max(0, limit - call('ZCOUNT', keys.index, int(ACTIVE), '+inf') + left)
end

-- How many claims the pace allows: one in `interval` milliseconds, after a rest
-- `burst` at once (GCRA). Notes when the next is allowed, if not all are.
local function rate_room(rate, wanted)
  local due = math.max(tonumber(fields['#rate']) or 0, now)
  -- Reckoned from now: an interval that is no whole number is lost beside the time of
  -- day, and a job that is due would not be let begin.
  local ahead = due - now
  local room = math.max(0, math.floor(rate.burst - ahead / rate.interval + 0.000001))
  if room < wanted then
    due_at(now + math.max(1, math.ceil(ahead + (room + 1 - rate.burst) * rate.interval)))
  end
  return room
end

local function take_rate(rate, n)
  if n == 0 then return end
  put('#rate', string.format('%.3f', math.max(tonumber(fields['#rate']) or 0, now) + n * rate.interval))
end
