-- SET with IFEQ or IFNE, for servers that know neither.
--
-- KEYS[1]  any  STRING
-- ARGV[1]  IFEQ or IFNE
-- ARGV[2]  the value compared with
-- ARGV[3]  GET if the old value is wanted
-- ARGV[4]  the new value; the other options of SET follow
--
-- Returns what SET answers.
local old = redis.pcall('GET', KEYS[1])
if type(old) == 'table' then
  return old
end
if (old == ARGV[2]) == (ARGV[1] == 'IFEQ') then
  return redis.pcall('SET', KEYS[1], unpack(ARGV, 4))
end
return ARGV[3] == 'GET' and old
