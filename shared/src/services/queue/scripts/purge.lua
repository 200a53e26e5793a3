-- purge: forget a finished job now.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, aging, id
--
-- Returns {word, blobs}: `purged`, the state of a job that is not finished, or
-- `gone`; and the blobs of the job, as retain does.
local request = cjson.decode(ARGV[1])
start(request)
local id, blobs = request.id, {}
local job = load({ id })[id]
if not job then return { 'gone', blobs } end
if not FINISHED[job.header.state] then return { job.header.state, blobs } end
if job.spec.blob then push(blobs, id) end
if job.header.result == 'blob' then push(blobs, id .. ':' .. int(job.header.settled)) end
local gone = { id, id .. ':p', id .. ':r', id .. ':s' }
if job.spec.batch_end then push(gone, 'b:' .. job.spec.batch_end) end
local shared = {}
if job.spec.unique then push(shared, 'u:' .. job.spec.unique) end
if job.spec.group then push(shared, 'g:' .. job.spec.group) end
read(shared)
for _, name in ipairs(shared) do
  if fields[name] == '' then push(gone, name) end
end
call('HDEL', keys.records, unpack(gone))
call('ZREM', keys.finished, id)
return { 'purged', blobs }
