-- tx: the state of one call. Whatever changes and is used by more than one file is a field
-- of this table, so that a reader sees at each use that it is shared; every file lists the
-- fields that are its own under `Defines`.
--
-- Returns nothing: definitions only.
--
-- Defines: tx, tx.keys, tx.now, tx.day, tx.aging, start(request)
local tx = {}

local function start(request)
  tx.keys = { index = KEYS[1], records = KEYS[2], finished = KEYS[3], parked = KEYS[4] }
  tx.now, tx.day, tx.aging = request.now, request.day, request.aging
end
