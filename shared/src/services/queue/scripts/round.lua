-- round: the jobs that a tick has read, and the jobs that it gives to its worker.
--
-- Returns nothing: definitions only.
--
-- Needs: base (push)
-- Needs: tx (tx)
-- Needs: read (load, read)
-- Needs: finish (related)
-- Defines: tx.jobs, tx.touched, tx.claimed, tx.ended, tx.n_leases_ended
-- Defines: load_more(ids, names), give(list, job), decide_all(attempts, decide, lease_end)

-- Jobs by id, and the ids of the jobs that this tick has decided about.
tx.jobs, tx.touched = {}, {}
-- What the worker gets: jobs to run, and jobs that ended without being run.
tx.claimed, tx.ended = {}, {}
tx.n_leases_ended = 0

local function give(list, job) push(list, { job.id, cjson.encode(job.header), job.spec_text, job.data }) end

-- Reads the jobs that were not read before, the fields `names`, and the fields these jobs need.
local function load_more(ids, names)
  local wanted, seen = {}, {}
  for _, id in ipairs(ids) do
    if not tx.jobs[id] and not seen[id] then seen[id] = true; push(wanted, id) end
  end
  local loaded = load(wanted, names)
  read(related(loaded))
  for id, job in pairs(loaded) do tx.jobs[id] = job end
end

-- Calls `decide` for each attempt, and returns its answers.
local function decide_all(attempts, decide, lease_end)
  local words = {}
  for n, attempt in ipairs(attempts) do
    words[n] = decide(tx.jobs[attempt.id], attempt, lease_end)
    tx.touched[attempt.id] = true
  end
  return words
end
