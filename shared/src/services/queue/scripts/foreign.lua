-- foreign: jobs other programs left in a stream, which go from it as they are stored.
--
-- Returns nothing: definitions only.

-- Which of the jobs are still in the stream.
local function still_there(stream, jobs)
  local there = {}
  for _, entry in ipairs(call('XRANGE', stream, jobs[1].entry, jobs[#jobs].entry)) do there[entry[1]] = true end
  return there
end

local function take_out(stream, jobs)
  local entries = {}
  for _, job in ipairs(jobs) do push(entries, job.entry) end
  call('XDEL', stream, unpack(entries))
  -- An emptied stream would still be found by the look for work.
  if call('XLEN', stream) == 0 then call('DEL', stream) end
end

-- Among the failed, so that it is listed and forgotten; once more if the call that
-- stored it died before.
local function keep_refused(job)
  if job.header.state ~= 'failed' then return end
  push(writes.finished, int(FINISHED.failed + job.header.finished - EPOCH), job.id)
end

-- One that cannot be run goes to the dead letters at once.
local function store_refused(job, spec)
  local refused = decode(job.id, false, spec)
  add_error(refused, job.refused)
  refused.header.state, refused.header.finished = 'failed', now
  save(refused)
  count('failed')
  keep_refused(refused)
end
