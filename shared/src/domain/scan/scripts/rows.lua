-- rows: which clips of a guild are listed, what they are found by, and how many messages of
-- a channel hold one.
--
-- Members of `order`, all with score 0, the message in 20 digits:
--
--   {channel}:{message}:{clip}   a row that is listed
--   -{channel}:{message}:{clip}  a row that a person deleted; it is never listed again
--   ={clip}    forwards of this clip are not listed: its original is known, or a person
--              deleted it
--   >{clip}    forwards of it were seen; `forwards` holds their places
--   !{author}  clips of this author are not stored
--
-- Members of `index`, all with score 0: {term}:{message}:{channel}:{clip}, for each term of
-- each listed row.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, call_all, int, push, tx, tx.keys)
-- Defines: tx.before, tx.changes, tx.old_terms, tx.new_terms
-- Defines: message_of(member), clip_of(member), channel_of(member)
-- Defines: note(message), know(member), read_rows(from, to), list(member, posted, terms)
-- Defines: unlist(member), write_rows(marks, unmarked), counts()
-- Defines: add_count(record, more), recount(channel, more), terms_of(record)
-- By message: its listed rows, how many they are, whether it had any.
local rows, sizes, had = {}, {}, {}
-- What was listed before, and what is to become of a member: its time, or false. By member:
-- its terms as they are stored, and as they will be.
tx.before, tx.changes, tx.old_terms, tx.new_terms = {}, {}, {}, {}

local function message_of(member) return string.match(member, '^%d+:%d+:') end
local function clip_of(member) return string.match(member, '^%d+:%d+:(.+)$') end
local function channel_of(member) return string.match(member, '^%d+') end

local function terms_of(record) return record and string.match(record, '^([^\n]*)\n') or nil end

local function note(message)
  if not rows[message] then rows[message], sizes[message], had[message] = {}, 0, false end
  return rows[message]
end

local function know(member)
  local message = message_of(member)
  local set = note(message)
  if set[member] then return end
  set[member], tx.before[member] = true, true
  sizes[message], had[message] = sizes[message] + 1, true
end

-- Reads the listed rows of a stretch that begins and ends between messages.
local function read_rows(from, to)
  local found = call('ZRANGE', tx.keys.order, from, to, 'BYLEX')
  for _, member in ipairs(found) do know(member) end
  return found
end

local function rows_of(message)
  if not rows[message] then
    note(message)
    read_rows('[' .. message, '(' .. string.sub(message, 1, -2) .. ';')
  end
  return rows[message]
end

-- Both return whether that changes what is listed.
local function list(member, posted, terms)
  local message = message_of(member)
  local set = rows_of(message)
  tx.new_terms[member] = terms
  if set[member] then return false end
  set[member], sizes[message], tx.changes[member] = true, sizes[message] + 1, posted
  return true
end

local function unlist(member)
  local message = message_of(member)
  local set = rows_of(message)
  if not set[member] then return false end
  set[member], sizes[message], tx.changes[member] = nil, sizes[message] - 1, false
  tx.new_terms[member] = ''
  return true
end

-- The entries of a row for the terms that `terms` has and `others` lacks.
local function entries(into, member, terms, others)
  local lacks = {}
  for term in string.gmatch(others or '', '%S+') do lacks[term] = true end
  local channel, message, clip = string.match(member, '^(%d+):(%d+):(.+)$')
  for term in string.gmatch(terms or '', '%S+') do
    if not lacks[term] and string.sub(term, 1, 1) ~= '~' then
      push(into, term .. ':' .. message .. ':' .. channel .. ':' .. clip)
    end
  end
end

local function write_index()
  local more, gone, add = {}, {}, {}
  for member, terms in pairs(tx.new_terms) do
    local old = tx.before[member] and tx.old_terms[member]
    entries(more, member, terms, old)
    if old then entries(gone, member, old, terms) end
  end
  for _, entry in ipairs(more) do push(add, 0, entry) end
  call_all(4000, 'ZREM', tx.keys.index, gone)
  call_all(4000, 'ZADD', tx.keys.index, add)
end

-- Writes what changed, with `marks` as further members and without those of `unmarked`.
local function write_rows(marks, unmarked)
  local recent, order, gone = {}, {}, {}
  for member, posted in pairs(tx.changes) do
    if posted then
      push(recent, int(posted), member)
      push(order, 0, member)
    else
      push(gone, member)
    end
  end
  for _, mark in ipairs(marks) do push(order, 0, mark) end
  write_index()
  call_all(4000, 'ZREM', tx.keys.recent, gone)
  for _, mark in ipairs(unmarked) do push(gone, mark) end
  call_all(4000, 'ZREM', tx.keys.order, gone)
  call_all(4000, 'ZADD', tx.keys.recent, recent)
  call_all(4000, 'ZADD', tx.keys.order, order)
end

-- How many messages more hold a clip than before, by channel.
local function counts()
  local more = {}
  for message, had_any in pairs(had) do
    local channel = channel_of(message)
    local change = (sizes[message] > 0 and 1 or 0) - (had_any and 1 or 0)
    if change ~= 0 then more[channel] = (more[channel] or 0) + change end
  end
  return more
end

local function add_count(record, more)
  record.messageCount = math.max(0, (record.messageCount or 0) + (more or 0))
end

-- Updates the count in the record of a channel that has one.
local function recount(channel, more)
  local text = call('HGET', tx.keys.channels, channel)
  if not text then return end
  local record = cjson.decode(text)
  add_count(record, more)
  call('HSET', tx.keys.channels, channel, cjson.encode(record))
end
