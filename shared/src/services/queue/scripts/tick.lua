-- tick: settle what is done, renew what runs, take back what is lost, claim what
-- is next. One call a round of a drainer, whatever it carries.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, token, want, pick, lease, aging, sweep, replay,
--                   measure, settle [{id, fence, outcome, data, result, run_at,
--                   error, read (fields it is known to need)}], renew [{id, fence}];
--                   of the queue's settings, if set, active_limit, group_limit,
--                   rate {interval, burst}
--
-- Returns {settled, renewed, claimed, ended, next, paused, retained, waiting}: a word
-- for each settle and renew; {id, header, spec, data} for each job claimed and each
-- that ended by the sweep or expired; when to look again (0: when something is
-- enqueued); whether the queue is paused; when retention last ran (0 if this call had
-- no need to read it); how many jobs wait that somebody could claim, if that is to be
-- measured.
local request = cjson.decode(ARGV[1])
start(request)
local want, limit, rate = request.want, request.group_limit, request.rate
local lease_end = now + request.lease

if request.replay then hand_out_again(request.token, lease_end) end
local n_again = #claimed
if n_again > 0 then want = 0 end

local expired, sampled = {}, {}
if request.sweep then
  expired = call('ZRANGE', keys.index, int(ACTIVE), int(ACTIVE + now - EPOCH), 'BYSCORE', 'LIMIT', 0, 50)
  if limit then sampled = call('ZRANDMEMBER', keys.parked, 5) end
end
local picked, scores, paused = {}, {}, false
if want > 0 then
  promote()
  picked, scores, paused = pick(request.pick)
end

local ids, names = {}, {}
if #request.settle + #expired > 0 then names = counter_fields() end
if rate then push(names, '#rate') end
for _, attempt in ipairs(request.settle) do
  push(ids, attempt.id)
  push(names, unpack(attempt.read or {}))
end
for _, attempt in ipairs(request.renew) do push(ids, attempt.id) end
push(ids, unpack(expired))
push(ids, unpack(picked))
load_more(ids, names)

local settled = settle_all(request.settle)
local renewed = renew_all(request.renew, lease_end)
sweep_all(expired)
-- Parked jobs that have room now may come before those picked.
if limit and release_all(sampled, limit) and want > 0 then
  picked, scores, paused = pick(request.pick)
  load_more(picked)
end

local room, n_useful = paused and 0 or want, #picked + #returned
if room > 0 and n_useful > 0 then
  if request.active_limit then room = math.min(room, active_room(request.active_limit, n_left)) end
  if rate then room = math.min(room, rate_room(rate, math.min(want, n_useful))) end
end
claim_all(picked, scores, room, limit, request.token, lease_end)
-- Those that came to their end unrun have made room as well.
if limit and release(limit) then due_at(now) end
if rate then take_rate(rate, #claimed - n_again) end
-- All that was looked at was no use, or there was more of use: look again at once.
if #picked == request.pick and #claimed < room then due_at(now) end
flush()
local waiting = request.measure and call('ZCOUNT', keys.index, 0, int(WAITING_END)) or 0
return { settled, renewed, claimed, ended, int(next_due), paused and 1 or 0, int(tonumber(fields['#retained']) or 0), waiting }
