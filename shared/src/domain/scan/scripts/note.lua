-- note: creates the records of channels whose first scan was requested.
--
-- KEYS[1]  scan:channels:{guild}  HASH  channel id -> record
-- ARGV[…]  pairs of a channel and its new record, for channels that have none
--
-- Returns how many had none.
local channels, fields = {}, {}
for n = 1, #ARGV, 2 do channels[#channels + 1] = ARGV[n] end
for n, record in ipairs(redis.call('HMGET', KEYS[1], unpack(channels))) do
  if not record then
    fields[#fields + 1], fields[#fields + 2] = channels[n], ARGV[2 * n]
  end
end
if #fields > 0 then redis.call('HSET', KEYS[1], unpack(fields)) end
return #fields / 2
