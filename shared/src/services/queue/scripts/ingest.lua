-- ingest: takes over jobs that other programs added to a stream. The call that stores a job
-- removes it from the stream.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, int, push)
-- Needs: layout (EPOCH, FINISHED)
-- Needs: tx (tx.now)
-- Needs: read (decode)
-- Needs: write (save, tx.writes)
-- Needs: errors (add_error)
-- Needs: count (count)
-- Defines: entries_left(stream, jobs), delete_entries(stream, jobs)
-- Defines: keep_refused(job), store_refused(job, spec)

-- Returns which of the jobs still have their entry in the stream.
local function entries_left(stream, jobs)
  local left = {}
  for _, entry in ipairs(call('XRANGE', stream, jobs[1].entry, jobs[#jobs].entry)) do left[entry[1]] = true end
  return left
end

local function delete_entries(stream, jobs)
  local entries = {}
  for _, job in ipairs(jobs) do push(entries, job.entry) end
  call('XDEL', stream, unpack(entries))
  -- An empty stream would still look like work to a drainer.
  if call('XLEN', stream) == 0 then call('DEL', stream) end
end

-- Adds a refused job to the failed jobs, so that it is listed and retention deletes it later.
-- Repeated if the call that stored the job died before this.
local function keep_refused(job)
  if job.header.state ~= 'failed' then return end
  push(tx.writes.finished, int(FINISHED.failed + job.header.finished - EPOCH), job.id)
end

-- Stores a job that cannot be run, as failed.
local function store_refused(job, spec)
  local refused = decode(job.id, false, spec)
  add_error(refused, job.refused)
  refused.header.state, refused.header.finished = 'failed', tx.now
  save(refused)
  count('failed')
  keep_refused(refused)
end
