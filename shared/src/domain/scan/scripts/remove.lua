-- remove: removes clips from the list because a person deleted them. They are not listed
-- again, whatever is read later, and no forward takes their place.
--
-- KEYS[1]  scan:channels:{guild}   HASH  channel id -> record
-- KEYS[2]  clip:recent:{guild}     ZSET  listed rows by time
-- KEYS[3]  clip:channel:{guild}    ZSET  listed rows in order, and marks
-- KEYS[…]  clip:records:{channel}  HASH  {message}:{clip} -> clip, of each channel
-- ARGV[1]  request  JSON: channels, in the order of their keys; members; from, to (of the
--          stretch they are in, which begins and ends between messages)
--
-- Returns how many there are of them, also when they were removed before.
--
-- Needs: base (call, push, start)
-- Needs: rows (clip_of, counts, field_of, read_rows, recount, unlist, write_rows)
local request = cjson.decode(ARGV[1])
start({ channels = KEYS[1], recent = KEYS[2], order = KEYS[3] })
read_rows(request.from, request.to)
local marks, fields, n = {}, {}, 0
for _, member in ipairs(request.members) do
  if unlist(member) then
    n = n + 1
    push(marks, '-' .. member, '=' .. clip_of(member))
    local channel = string.match(member, '^%d+')
    fields[channel] = fields[channel] or {}
    push(fields[channel], field_of(member))
  end
end
if n == 0 then return #request.members end
for place, channel in ipairs(request.channels) do
  if fields[channel] then call('HDEL', KEYS[3 + place], unpack(fields[channel])) end
end
for channel, more in pairs(counts()) do recount(channel, more) end
-- Write the list last: if the script dies before this, the clips are removed again.
write_rows(marks, {})
return #request.members
