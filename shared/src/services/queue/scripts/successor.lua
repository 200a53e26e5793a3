-- successor: stores what runs after a job: the next job of its chain, or the last job of its
-- batch once all others have ended.
--
-- The HSET that ends a job also stores its successor, so the successor exists exactly when the
-- job has ended. If the script dies after that, the successor may be missing from the index. The
-- job's own entry is still there then, and the next sweep or claim that finds it adds the
-- successor (see `heal`).
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

-- Returns the next job of a chain, which carries the rest of the chain.
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

-- A job counts once, even if it is redriven and ends again.
local function count_in_batch(job)
  local batch = not job.header.batched and batch_of(job) or nil
  -- If none is left, the last job is stored already. A failover may repeat the end of a job.
  if not batch or batch.left == 0 then return end
  job.header.batched = true
  batch.left, batch[job.header.state] = batch.left - 1, (batch[job.header.state] or 0) + 1
  put('b:' .. job.spec.batch, cjson.encode(batch))
  if batch.left == 0 then store(batch.last) end
end
