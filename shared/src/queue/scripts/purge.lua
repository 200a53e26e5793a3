-- purge: forget a finished job now.
--
-- KEYS[1]  jobs:{queue}:records   HASH  the jobs
-- KEYS[2]  jobs:{queue}:finished  ZSET  finished jobs
-- ARGV[1]  id
--
-- Returns `purged`, the state of a job that is not finished, or `gone`.
local id = ARGV[1]
start({ records = KEYS[1], finished = KEYS[2] })
local job = load({ id })[id]
if not job then return 'gone' end
if not FINISHED[job.header.state] then return job.header.state end
call('HDEL', KEYS[1], id, id .. ':p', id .. ':r', id .. ':s')
call('ZREM', KEYS[2], id)
return 'purged'
