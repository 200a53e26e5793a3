-- add: counts in several periods at once. A count that is sent several times counts once.
--
-- KEYS[1]  counter:{name}:{period}:{stretch}  HASH  place -> count; `#recent` holds the tokens
--                                                   of the newest counts
-- KEYS[…]  the same for longer periods, without tokens
-- ARGV[1]  by
-- ARGV[2]  token  identifies this count; the same if it is sent again
-- ARGV[…]  for each key: the place in it, and its lifetime in milliseconds after the first
--          count
--
-- Returns 1, or 0 if it was counted before.
local by, token = ARGV[1], ARGV[2]
local count, known = unpack(redis.call('HMGET', KEYS[1], ARGV[3], '#recent'))
local recent = {}
for other in string.gmatch(known or '', '%S+') do
  if other == token then return 0 end
  recent[#recent + 1] = other
end
recent[#recent + 1] = token
if #recent > 32 then table.remove(recent, 1) end
count = (tonumber(count or nil) or 0) + tonumber(by)
redis.call('HSET', KEYS[1], ARGV[3], string.format('%.0f', count), '#recent', table.concat(recent, ' '))
for n, key in ipairs(KEYS) do
  local place, keep = ARGV[2 * n + 1], ARGV[2 * n + 2]
  if n > 1 then count = redis.call('HINCRBY', key, place, by) end
  -- If this is the first count of a place, it may be the first of its key.
  if count == tonumber(by) then redis.call('PEXPIRE', key, keep) end
end
return 1
