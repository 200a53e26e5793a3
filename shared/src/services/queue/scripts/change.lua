-- change: gives an unfinished job another priority, another time, or both.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, aging, id; the new priority, run_at, or both
--
-- Returns `changed`; `next` if the job is running, so that the priority applies to its next
-- attempt; `active` if the job is running, so that its time cannot be changed; its state if
-- it has finished; or `gone`.
--
-- Needs: base (call, push)
-- Needs: layout (FINISHED)
-- Needs: tx (start, tx.keys, tx.now)
-- Needs: read (load)
-- Needs: write (flush, save, tx.writes)
-- Needs: schedule (schedule)
-- Needs: parked (parked_member)
local request = cjson.decode(ARGV[1])
start(request)
local job = load({ request.id })[request.id]
if not job then return 'gone' end
local header, spec = job.header, job.spec
if FINISHED[header.state] then return header.state end
local is_active = header.state == 'active'
if is_active and request.run_at then return 'active' end
local parked = spec.group and parked_member(job)

spec.priority = request.priority or spec.priority
if request.run_at then
  header.run_at = math.max(request.run_at, tx.now)
  if header.fence == 0 then spec.run_at = header.run_at end
end
local line_end = string.find(job.spec_text, '\n', 1, true)
push(tx.writes.records, job.id .. ':p', cjson.encode(spec) .. string.sub(job.spec_text, line_end))
if job.has_header then save(job) end
if not is_active then schedule(job, header.run_at) end
flush()
-- If its group is still full, the next claim parks it again, in its new place.
if parked then call('ZREM', tx.keys.parked, parked) end
return is_active and 'next' or 'changed'
