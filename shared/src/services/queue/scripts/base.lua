-- base: the few functions that every script of the queue uses.
--
-- Returns nothing: definitions only.
--
-- Defines: call(command, ...), int(number), push(list, ...)
local call = redis.call

-- Returns a number as exact text. Lua's own conversion rounds to 14 digits.
local function int(number) return string.format('%.0f', number) end

local function push(list, ...)
  for _, value in ipairs({ ... }) do list[#list + 1] = value end
end
