-- base: the few functions that the scripts of clips are written with, and `tx`, the state of
-- one call: whatever changes and is used by more than one file is a field of this table.
--
-- Returns nothing: definitions only.
--
-- Defines: call(command, ...), int(number), push(list, ...), tx, tx.keys, start(keys)
local call = redis.call
local tx = {}

local function start(keys) tx.keys = keys end

-- A number as text, exactly: Lua's own conversion rounds to 14 digits.
local function int(number) return string.format('%.0f', number) end

local function push(list, ...)
  for _, value in ipairs({ ... }) do list[#list + 1] = value end
end
