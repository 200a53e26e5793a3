-- tick: settles finished jobs, renews running ones, takes back lost ones, and claims the next
-- ones. A worker makes one call in each round, whatever the round contains.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, token, want, pick, lease, aging, sweep, replay,
--                   measure, settle [{id, fence, outcome, data, result, run_at,
--                   error, read (fields it is known to need)}], renew [{id, fence}];
--                   from the queue's settings, if set: active_limit, group_limit,
--                   rate {interval, burst}
--
-- Returns {settled, renewed, claimed, ended, next, paused, retained, waiting}:
--   settled, renewed  a word for each settle and renew
--   claimed           {id, header, spec, data} for each claimed job
--   ended             the same for each job that expired or that the sweep ended
--   next              when to look again; 0: when something is enqueued
--   paused            whether the queue is paused
--   retained          when retention last ran; 0 if this call did not need to read it
--   waiting           the number of jobs that a worker could claim, if `measure` is set
--
-- Needs: base (call, int, push)
-- Needs: layout (PARKED)
-- Needs: tx (start, tx.keys, tx.now)
-- Needs: read (tx.fields)
-- Needs: write (flush)
-- Needs: schedule (due_at, tx.next_due)
-- Needs: count (counter_fields)
-- Needs: round (decide_all, load_more, tx.claimed, tx.ended, tx.n_leases_ended)
-- Needs: replay (claim_again)
-- Needs: promote (promote)
-- Needs: pick (active_room, pick)
-- Needs: rate (rate_room, take_rate)
-- Needs: settle (renew, settle)
-- Needs: sweep (expired_leases, sweep_all, tx.returned)
-- Needs: parking (release, release_found)
-- Needs: claim (claim_all)
local request = cjson.decode(ARGV[1])
start(request)
local want, limit, rate = request.want, request.group_limit, request.rate
local lease_end = tx.now + request.lease

if request.replay then claim_again(request.token, lease_end) end
local n_again = #tx.claimed
if n_again > 0 then want = 0 end

local expired, sampled = {}, {}
if request.sweep then
  expired = expired_leases()
  if limit then sampled = call('ZRANDMEMBER', tx.keys.parked, 5) end
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

local settled = decide_all(request.settle, settle)
local renewed = decide_all(request.renew, renew, lease_end)
sweep_all(expired)
-- Parked jobs whose group has room now may come before the picked jobs.
if limit and release_found(sampled, limit) and want > 0 then
  picked, scores, paused = pick(request.pick)
  load_more(picked)
end

local room, n_found = paused and 0 or want, #picked + #tx.returned
if room > 0 and n_found > 0 then
  if request.active_limit then room = math.min(room, active_room(request.active_limit, tx.n_leases_ended)) end
  if rate then room = math.min(room, rate_room(rate, math.min(want, n_found))) end
end
claim_all(picked, scores, room, limit, request.token, lease_end)
-- Jobs that ended without being run have made room as well.
if limit and release(limit) then due_at(tx.now) end
if rate then take_rate(rate, #tx.claimed - n_again) end
-- As many jobs were picked as were asked for, and there is still room: look again immediately.
if #picked == request.pick and #tx.claimed < room then due_at(tx.now) end
flush()
local waiting = request.measure and call('ZCOUNT', tx.keys.index, 0, int(PARKED - 1)) or 0
local retained = int(tonumber(tx.fields['#retained']) or 0)
return { settled, renewed, tx.claimed, tx.ended, int(tx.next_due), paused and 1 or 0, retained, waiting }
