-- successor: what runs after a job: the next job of its chain, or the last job of its batch
-- when all others have ended.
--
-- A successor is stored by the HSET that ends the job, so it exists exactly when the job
-- has ended. Only its place in the index may be missing if the script dies; the job's own
-- entry, still there, makes the next sweep or claim put it in (see `heal`).
--
-- Returns nothing: definitions only.
--
-- Needs: base (push)
-- Needs: tx (tx.now)
-- Needs: read (tx.fields)
-- Needs: write (tx.writes, put)
-- Needs: schedule (schedule)
-- Defines: next_of(job), batch_of(job), count_in_batch(job), store(successor)

local function store(successor)
  local spec = successor.spec
  spec.enqueued, spec.run_at = tx.now, tx.now + (successor.delay or 0)
  push(tx.writes.records, successor.id .. ':p', cjson.encode(spec) .. '\n' .. successor.args)
  schedule(successor, spec.run_at)
end

-- The next job of a chain, which carries the rest of it.
local function next_of(job)
  local chain = job.spec['then']
  if job.header.state ~= 'completed' or not chain then return nil end
  local successor = table.remove(chain, 1)
  successor.spec.after = job.id
  if #chain > 0 then successor.spec['then'] = chain end
  return successor
end

local function batch_of(job)
  local text = job.spec.batch and tx.fields['b:' .. job.spec.batch] or ''
  return text ~= '' and cjson.decode(text) or nil
end

-- A job counts once, also when it is redriven and ends again.
local function count_in_batch(job)
  local batch = not job.header.batched and batch_of(job) or nil
  -- With none left, its last job is stored already: a failover may repeat an end.
  if not batch or batch.left == 0 then return end
  job.header.batched = true
  batch.left, batch[job.header.state] = batch.left - 1, (batch[job.header.state] or 0) + 1
  put('b:' .. job.spec.batch, cjson.encode(batch))
  if batch.left == 0 then store(batch.last) end
end
