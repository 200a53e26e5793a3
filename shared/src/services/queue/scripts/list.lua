-- list: lists the jobs of some states, one state after another, with everything that is stored
-- in their records.
--
-- KEYS[1]  jobs:{queue}:index     ZSET  unfinished jobs
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- KEYS[3]  jobs:{queue}:finished  ZSET  finished jobs
-- ARGV[1]  request  JSON: ranges [{finished (whether it is a range of that set), from, to
--                   (scores, as text), newest_first}], offset (into the first range), limit
--
-- Returns {found, parts}. `found` has range (from 0), id and score of each job in turn. `parts`
-- has header, spec, data and progress of each job in turn.
--
-- Needs: base (call, push)
local request = cjson.decode(ARGV[1])
local found, wanted, offset = {}, {}, request.offset
for n, range in ipairs(request.ranges) do
  local left = request.limit - #wanted / 4
  if left <= 0 then break end
  local key = range.finished and KEYS[3] or KEYS[1]
  local page = { 'LIMIT', offset, left, 'WITHSCORES' }
  if range.newest_first then table.insert(page, 1, 'REV') end
  local listed = call('ZRANGE', key, range.from, range.to, 'BYSCORE', unpack(page))
  for at = 1, #listed, 2 do
    local id = listed[at]
    push(found, n - 1, id, listed[at + 1])
    push(wanted, id, id .. ':p', id .. ':r', id .. ':s')
  end
  offset = 0
end
if #wanted == 0 then return { found, {} } end
return { found, call('HMGET', KEYS[2], unpack(wanted)) }
