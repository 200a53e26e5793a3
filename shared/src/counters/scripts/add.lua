-- add: count in several periods at once.
--
-- KEYS[…]  counter:{name}:{period}:{stretch}  HASH  place -> count
-- ARGV[1]  by
-- ARGV[…]  for each key: the place in it, and milliseconds it is kept from its first count
--
-- Returns the new count of each.
local by, counts = ARGV[1], {}
for n, key in ipairs(KEYS) do
  local place, keep = ARGV[2 * n], ARGV[2 * n + 1]
  counts[n] = redis.call('HINCRBY', key, place, by)
  -- A place counted for the first time may be the first of its key.
  if counts[n] == tonumber(by) then redis.call('PEXPIRE', key, keep) end
end
return counts
