-- replay: returns the jobs that an earlier call of the same tick claimed, for a worker that did
-- not get the reply. The jobs are found by the worker's token among the newest leases. Their
-- leases are renewed, however late the worker asks.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, int, push)
-- Needs: layout (ACTIVE, EPOCH)
-- Needs: tx (tx.keys)
-- Needs: read (load)
-- Needs: write (tx.writes)
-- Needs: round (give, tx.claimed, tx.touched)
-- Defines: claim_again(token, lease_end)
local NEWEST = 200

local function claim_again(token, lease_end)
  local leased = call('ZRANGE', tx.keys.index, '+inf', int(ACTIVE), 'BYSCORE', 'REV', 'LIMIT', 0, NEWEST)
  for _, job in pairs(load(leased)) do
    if job.header.state == 'active' and job.header.token == token then
      give(tx.claimed, job)
      tx.touched[job.id] = true
      push(tx.writes.unfinished, int(ACTIVE + lease_end - EPOCH), job.id)
    end
  end
end
