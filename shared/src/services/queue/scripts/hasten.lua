-- hasten: gives a stored job the time and the priority of its duplicate, where these are
-- better, unless the stored job was ever claimed.
--
-- Returns nothing: definitions only.
--
-- Needs: base (push)
-- Needs: write (save, tx.writes)
-- Needs: score (index_score)
-- Needs: parked (parked_member)
-- Defines: hastened_text(text, run_at, priority), is_other(text, other)
-- Defines: hasten(owner, job, moves, parked)

-- Returns the text of a spec with another time and priority.
local function hastened_text(text, run_at, priority)
  local line_end = string.find(text, '\n', 1, true)
  local spec = cjson.decode(string.sub(text, 1, line_end))
  spec.run_at, spec.priority = run_at, priority
  return cjson.encode(spec) .. string.sub(text, line_end)
end

-- Returns whether two specs describe different work: another kind or other arguments.
local function is_other(text, other)
  local line_end, other_end = string.find(text, '\n', 1, true), string.find(other, '\n', 1, true)
  if string.sub(text, line_end) ~= string.sub(other, other_end) then return true end
  local spec, others = cjson.decode(string.sub(text, 1, line_end)), cjson.decode(string.sub(other, 1, other_end))
  return spec.kind ~= others.kind or spec.blob ~= others.blob
end

-- Returns whether anything changed. The entry in the index moves before the record changes, so
-- if the script dies between the two, the job still runs at the time that was requested last.
local function hasten(owner, job, moves, parked)
  local header, spec = owner.header, owner.spec
  local run_at, priority = math.min(header.run_at, job.run_at), math.min(spec.priority, job.priority)
  if header.fence > 0 or (run_at == header.run_at and priority == spec.priority) then return false end
  if spec.group then push(parked, parked_member(owner)) end
  header.run_at = run_at
  -- A redriven job has a later time in its header than in its spec.
  local spec_run_at = math.min(spec.run_at, run_at)
  if spec_run_at ~= spec.run_at or priority ~= spec.priority then
    spec.run_at, spec.priority = spec_run_at, priority
    owner.spec_text = hastened_text(owner.spec_text, spec_run_at, priority)
    push(tx.writes.records, owner.id .. ':p', owner.spec_text)
  end
  if owner.has_header then save(owner) end
  push(moves, index_score(run_at, priority), owner.id)
  return true
end
