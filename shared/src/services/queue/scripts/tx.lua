-- tx: the state of one call. Everything that changes and is used by more than one file is a
-- field of this table, so that each use shows that it is shared. Every file lists the fields
-- that it owns under `Defines`.
--
-- Returns nothing: definitions only.
--
-- Defines: tx, tx.keys, tx.now, tx.day, tx.aging, start(request)
local tx = {}

local function start(request)
  tx.keys = { index = KEYS[1], records = KEYS[2], finished = KEYS[3], parked = KEYS[4] }
  tx.now, tx.day, tx.aging = request.now, request.day, request.aging
end
