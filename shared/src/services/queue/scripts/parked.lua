-- parked: the entry that a job has in `parked`.
--
-- Returns nothing: definitions only.
--
-- Defines: parked_member(job)

local function parked_member(job)
  return job.spec.group .. '\0' .. string.format('%02d', job.spec.priority) .. '\0' .. job.id
end
