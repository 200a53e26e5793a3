-- base: the few functions that the scripts of clips are written with, and `tx`, the state of
-- one call: whatever changes and is used by more than one file is a field of this table.
--
-- Returns nothing: definitions only.
--
-- Defines: call(command, ...), int(number), push(list, ...), tx, tx.keys, start()
-- Defines: call_all(step, command, key, list)
local call = redis.call
local tx = {}

-- The keys of a guild, which come first in KEYS, and the key of each record.
local function start()
  tx.keys = {
    channels = KEYS[1], recent = KEYS[2], order = KEYS[3],
    forwards = KEYS[4], index = KEYS[5],
  }
end

-- A number as text, exactly: Lua's own conversion rounds to 14 digits.
local function int(number) return string.format('%.0f', number) end

local function push(list, ...)
  for _, value in ipairs({ ... }) do list[#list + 1] = value end
end

-- Calls a command with any number of arguments: `unpack` cannot return more than some
-- thousands at once. `step` is a multiple of the length of one argument.
local function call_all(step, command, key, list)
  for first = 1, #list, step do
    call(command, key, unpack(list, first, math.min(#list, first + step - 1)))
  end
end
