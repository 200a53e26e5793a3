-- Builds the environment scripts run in: Redis' globals, none of them writable.
--
-- Arguments: the function behind redis.call, and the tables made in Rust.
-- Returns the environment, the table that holds KEYS and ARGV, and the runner.

local dispatch, api, libraries = ...

local raw_get, raw_set, raw_next, raw_pairs = rawget, rawset, next, pairs
local set_metatable, get_metatable, set_fenv = setmetatable, getmetatable, setfenv
local load_text, load_pieces, raise, kind, protected = loadstring, load, error, type, pcall
local insert, concat = table.insert, table.concat

-- What a read-only table stands for.
local behind = set_metatable({}, { __mode = 'k' })

local function refuse()
  raise('Attempt to modify a readonly table', 2)
end

local function readonly(content)
  local front = set_metatable({}, { __index = content, __newindex = refuse, __metatable = false })
  behind[front] = content
  return front
end

-- redis.call raises what redis.pcall returns: a callback cannot raise a table itself.
function api.call(...)
  local reply = dispatch(...)
  if kind(reply) == 'table' and raw_get(reply, 'err') ~= nil then raise(reply, 0) end
  return reply
end

function api.pcall(...)
  return dispatch(...)
end

function api.error_reply(text)
  if kind(text) ~= 'string' then return { err = 'ERR wrong number or type of arguments' } end
  if text:sub(1, 1) == '-' then text = text:sub(2) end
  if not text:find('^%S+ ') then text = 'ERR ' .. text end
  return { err = text }
end

function api.status_reply(text)
  if kind(text) ~= 'string' then return { err = 'ERR wrong number or type of arguments' } end
  return { ok = text }
end

local globals = {}

for _, name in raw_next, {
  'assert', 'collectgarbage', 'error', 'gcinfo', 'getmetatable', 'ipairs', 'rawequal', 'select',
  'tonumber', 'tostring', 'type', 'unpack', 'xpcall', '_VERSION',
} do
  globals[name] = _G[name]
end

-- Redis' pcall hands out the text of an error table, as before there were such tables.
local function as_text(ok, reason, ...)
  if not ok and kind(reason) == 'table' and kind(reason.err) == 'string' then
    return false, reason.err
  end
  return ok, reason, ...
end

function globals.pcall(f, ...) return as_text(protected(f, ...)) end

function globals.next(t, k) return raw_next(behind[t] or t, k) end
function globals.pairs(t) return raw_pairs(behind[t] or t) end
function globals.rawget(t, k) return raw_get(behind[t] or t, k) end

function globals.rawset(t, k, v)
  if behind[t] then refuse() end
  return raw_set(t, k, v)
end

function globals.setmetatable(t, meta)
  if behind[t] then refuse() end
  return set_metatable(t, meta)
end

-- These write past the guard of a read-only table.
local tables = {}
for name, library_function in raw_pairs(table) do tables[name] = library_function end
for _, name in raw_next, { 'insert', 'remove', 'sort', 'setn' } do
  local change = table[name]
  if change then
    tables[name] = function(t, ...)
      if behind[t] then refuse() end
      return change(t, ...)
    end
  end
end

local environment = readonly(globals)

local function confined(chunk, message)
  if chunk then set_fenv(chunk, environment) end
  return chunk, message
end

function globals.loadstring(text, name)
  if kind(text) == 'string' and text:byte(1) == 27 then return nil, 'bytecode is not loaded' end
  return confined(load_text(text, name))
end

function globals.load(reader, name)
  local pieces = {}
  while true do
    local piece = reader()
    if not piece or piece == '' then break end
    insert(pieces, piece)
  end
  return globals.loadstring(concat(pieces), name or '=(load)')
end

globals._G = environment
globals.redis = readonly(api)
globals.string = readonly(string)
globals.table = readonly(tables)
globals.math = readonly(math)
globals.coroutine = readonly(coroutine)
globals.os = readonly({ clock = os.clock })
for name, library in raw_pairs(libraries) do globals[name] = readonly(library) end

local strings = get_metatable('')
strings.__index = globals.string
strings.__metatable = readonly({})

set_metatable(globals, {
  __index = function(_, name)
    raise("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
  end,
})

-- Runs a script; an error comes back as a value, tables as they were raised.
local function run(chunk)
  return protected(chunk)
end

return environment, globals, run
