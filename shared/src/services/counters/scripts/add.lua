-- add: counts in several periods at once, once however often it is sent.
--
-- KEYS[1]  counter:{name}:{period}:{stretch}  HASH  place -> count; `#recent` the tokens of
--                                                   the newest counts
-- KEYS[…]  the same of longer periods, without tokens
-- ARGV[1]  by
-- ARGV[2]  token  of this count, the same when it is sent again
-- ARGV[…]  for each key: the place in it, and milliseconds it is kept from its first count
--
-- Returns 1, or 0 when it was counted before.
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
  -- A place counted for the first time may be the first of its key.
  if count == tonumber(by) then redis.call('PEXPIRE', key, keep) end
end
return 1
