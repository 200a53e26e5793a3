-- finish: closes an upload whose parts are all there, and keeps it for its job.
--
-- KEYS[1]  upload:{id}  HASH  the session and the parts
-- ARGV[1]  keep  for how many milliseconds the parts are kept for the job
--
-- Returns `finished` and the session; `missing` if there is no such upload; `lacks` and the
-- numbers of the parts that are not there, separated by commas, at most twenty.
local keep = ARGV[1]
local stored = redis.call('HGET', KEYS[1], 'session')
local session = stored and cjson.decode(stored)
if not session then return { 'missing', '' } end
-- Sent again after a lost reply.
if session.finished then return { 'finished', stored } end
local there, lacking = {}, {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do there[field] = true end
for number = 1, math.ceil(session.sizeBytes / session.partBytes) do
  local field = string.format('%.0f', number)
  if not there[field] and #lacking < 20 then lacking[#lacking + 1] = field end
end
if #lacking > 0 then return { 'lacks', table.concat(lacking, ',') } end
session.finished = true
local text = cjson.encode(session)
-- First the expiry: a session that is finished must not lose its parts before its job runs.
redis.call('PEXPIRE', KEYS[1], keep)
redis.call('HSET', KEYS[1], 'session', text)
return { 'finished', text }
