-- errors: the last errors of a job, which its header holds.
--
-- Returns nothing: definitions only.
--
-- Needs: tx (tx.now)
-- Defines: add_error(job, message)
local ERRORS_KEPT = 5

local function add_error(job, message)
  local errors = job.header.errors or {}
  if #errors == ERRORS_KEPT then table.remove(errors, 1) end
  errors[#errors + 1] = { at = tx.now, attempt = job.header.attempts, message = message }
  job.header.errors = errors
end
