-- job_states: reads the records of a hash together with the states of the jobs they name.
--
-- KEYS[1]  any                    HASH  field -> JSON whose `owner.job` is a job id
-- KEYS[2]  jobs:{queue}:records   HASH  the jobs
-- ARGV[1]  request  JSON: fields (none: all fields), unique (patterns of unique keys, in
--                   which `%s` stands for the field)
--
-- Returns five words for each field: the field; its record; the state of the job that the
-- record names; that job's last error; and the state of an unfinished job with one of the
-- unique keys, where an active one takes precedence. A word is empty if there is no such thing.
--
-- Needs: base (call, push)
local request = cjson.decode(ARGV[1])

local function read(fields)
  local found = {}
  for from = 1, #fields, 1000 do
    local part = call('HMGET', KEYS[2], unpack(fields, from, math.min(from + 999, #fields)))
    for n, value in ipairs(part) do found[fields[from + n - 1]] = value end
  end
  return found
end

local rows, wanted = {}, {}
local function add(field, text)
  local ok, record = pcall(cjson.decode, text or '{}')
  local owner = ok and type(record) == 'table' and record.owner
  local row = { field = field, text = text, owner = type(owner) == 'table' and owner.job, unique = {} }
  if row.owner then push(wanted, row.owner, row.owner .. ':p') end
  for _, form in ipairs(request.unique) do
    local key = 'u:' .. string.gsub(form, '%%s', field)
    push(row.unique, key)
    push(wanted, key)
  end
  push(rows, row)
end
if request.fields then
  for n, text in ipairs(call('HMGET', KEYS[1], unpack(request.fields))) do add(request.fields[n], text) end
else
  local all = call('HGETALL', KEYS[1])
  for n = 1, #all, 2 do add(all[n], all[n + 1]) end
end

local found, live = read(wanted), {}
for _, row in ipairs(rows) do
  for _, key in ipairs(row.unique) do
    -- A unique key that is free again may be an empty field.
    if found[key] == '' then found[key] = nil end
    if found[key] then push(live, found[key]) end
  end
end
local headers = read(live)
local result = {}
for _, row in ipairs(rows) do
  local state, why, alive = '', '', ''
  if row.owner and found[row.owner .. ':p'] then
    local header = found[row.owner] and cjson.decode(found[row.owner]) or { state = 'waiting' }
    local errors = header.errors
    state, why = header.state, type(errors) == 'table' and #errors > 0 and errors[#errors].message or ''
  end
  for _, key in ipairs(row.unique) do
    local id = found[key]
    local now = id and (headers[id] and cjson.decode(headers[id]).state or 'waiting')
    if now == 'active' or (now == 'waiting' and alive == '') then alive = now end
  end
  push(result, row.field, row.text or '', state, why, alive)
end
return result
