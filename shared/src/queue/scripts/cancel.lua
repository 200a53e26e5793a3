-- cancel: end a job that waits, ask one that runs to stop.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- ARGV[1]  now  unix milliseconds
-- ARGV[2]  day  YYYYMMDD, for the counters
-- ARGV[3]  id
--
-- Returns `cancelled` (also when it was before), `requested` when it runs, the
-- state it finished in, or `gone`.
local now, day, id = tonumber(ARGV[1]), ARGV[2], ARGV[3]
start({ index = KEYS[1], records = KEYS[2], finished = KEYS[3] })
local job = load({ id }, day)[id]
if not job then return 'gone' end
local header = job.header
if FINISHED[header.state] then return header.state end
if header.state == 'active' then
  header.cancel = true
  save(job)
  flush()
  return 'requested'
end
finish(job, 'cancelled', now, day)
save(job)
flush()
return 'cancelled'
