-- DELEX with IFEQ or IFNE, for servers that do not know it.
--
-- KEYS[1]  any  STRING
-- ARGV[1]  IFEQ or IFNE
-- ARGV[2]  the value compared with
--
-- Returns 1 deleted, 0 kept or missing.
local value = redis.pcall('GET', KEYS[1])
if type(value) == 'table' then
  return value
end
if value and (value == ARGV[2]) == (ARGV[1] == 'IFEQ') then
  return redis.call('DEL', KEYS[1])
end
return 0
