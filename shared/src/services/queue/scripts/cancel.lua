-- cancel: cancels a waiting job, or asks a running one to stop.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- KEYS[4]  jobs:{queue}:parked    ZSET  jobs whose group is full
-- ARGV[1]  request  JSON: now, day, aging, id, kind (whether the answer ends with a space and
--                   the kind of the job, if there is one)
--
-- Returns `cancelled`, even if the job was cancelled before; `large` in the same case if its
-- arguments are in a key of their own, on which the caller must then set an expiry;
-- `requested` if the job is running; its state if it has finished otherwise; or `gone`.
--
-- Needs: base (call)
-- Needs: layout (FINISHED)
-- Needs: tx (start, tx.keys)
-- Needs: read (load, read)
-- Needs: write (flush, save)
-- Needs: count (counter_fields)
-- Needs: parked (parked_member)
-- Needs: finish (finish, related)
local request = cjson.decode(ARGV[1])
start(request)
local job = load({ request.id }, counter_fields())[request.id]
if not job then return 'gone' end
local header = job.header
local function answer(word) return request.kind and word .. ' ' .. job.spec.kind or word end
-- Repeated in case the first reply was lost: nothing else sets an expiry on the arguments.
if header.state == 'cancelled' and job.spec.blob then return answer('large') end
if FINISHED[header.state] then return answer(header.state) end
if header.state == 'active' then
  header.cancel = true
  save(job)
  flush()
  return answer('requested')
end
read(related({ job }))
finish(job, 'cancelled')
save(job)
flush()
if job.spec.group then call('ZREM', tx.keys.parked, parked_member(job)) end
return answer(job.spec.blob and 'large' or 'cancelled')
