-- part: stores a part of an upload that is not finished.
--
-- KEYS[1]  upload:{id}  HASH  the session and the parts
-- ARGV[1]  number  of the part, from 1
-- ARGV[2]  text    the part
-- ARGV[3]  length  of the part, in bytes, before it became text
--
-- Returns `stored`; `missing` if there is no such upload; `finished` if it takes no more
-- parts; `wrong` and the length that the part must have.
local number, text, length = ARGV[1], ARGV[2], tonumber(ARGV[3])
local stored = redis.call('HGET', KEYS[1], 'session')
local session = stored and cjson.decode(stored)
if not session then return { 'missing', 0 } end
if session.finished then return { 'finished', 0 } end
local expected = math.min(session.partBytes, session.sizeBytes - (tonumber(number) - 1) * session.partBytes)
if length ~= expected then return { 'wrong', math.max(0, expected) } end
redis.call('HSET', KEYS[1], number, text)
return { 'stored', 0 }
