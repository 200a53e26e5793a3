-- purge: deletes a finished job before retention does.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, aging, id
--
-- Returns {word, blobs}. The word is `purged`, the state of a job that is not finished, or
-- `gone`. The blobs are those for the caller to delete, as `delete_forgotten` returns them.
--
-- Needs: layout (FINISHED)
-- Needs: tx (start)
-- Needs: read (load)
-- Needs: forget (delete_forgotten, forget)
local request = cjson.decode(ARGV[1])
start(request)
local id = request.id
local job = load({ id })[id]
if not job then return { 'gone', {} } end
if not FINISHED[job.header.state] then return { job.header.state, {} } end
forget(job)
return { 'purged', delete_forgotten({ id }, { id, id .. ':p', id .. ':r', id .. ':s' }) }
