-- cancel: end a job that waits, ask one that runs to stop.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, aging, id
--
-- Returns `cancelled` (also when it was before), or `large` when its arguments are in
-- a key of their own, which is then for the caller to give an expiry; `requested` when
-- it runs; the state it finished in; or `gone`.
local request = cjson.decode(ARGV[1])
start(request)
local job = load({ request.id }, counter_fields())[request.id]
if not job then return 'gone' end
local header = job.header
-- Once more, if the reply of the first was lost: nothing else would let them expire.
if header.state == 'cancelled' and job.spec.blob then return 'large' end
if FINISHED[header.state] then return header.state end
if header.state == 'active' then
  header.cancel = true
  save(job)
  flush()
  return 'requested'
end
read(related({ job }))
finish(job, 'cancelled')
save(job)
flush()
if job.spec.group then call('ZREM', keys.parked, parked_member(job)) end
return job.spec.blob and 'large' or 'cancelled'
