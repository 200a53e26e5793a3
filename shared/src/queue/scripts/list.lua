-- list: jobs in one state, with all that is stored of them.
--
-- KEYS[1]  jobs:{queue}:index or :finished  ZSET  jobs by state
-- KEYS[2]  jobs:{queue}:records             HASH  the jobs
-- ARGV[1]  request  JSON: min, max (scores, as text), offset, limit
--
-- Returns {found, parts}: ids and scores in turn; header, spec, data and progress of
-- each in turn.
local request = cjson.decode(ARGV[1])
local found = call('ZRANGE', KEYS[1], request.min, request.max, 'BYSCORE', 'LIMIT', request.offset, request.limit, 'WITHSCORES')
local wanted = {}
for n = 1, #found, 2 do
  local id = found[n]
  push(wanted, id, id .. ':p', id .. ':r', id .. ':s')
end
if #wanted == 0 then return { found, {} } end
return { found, call('HMGET', KEYS[2], unpack(wanted)) }
