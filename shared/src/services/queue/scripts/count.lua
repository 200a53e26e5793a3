-- count: the queue's counters. They are fields of `records`, and are read and written together
-- with the jobs.
--
--   #name            the total since the queue began
--   #name:YYYYMMDD   the total of one day
--   #minute:n        the counts of one minute, where n is the minute modulo 16: the minute,
--                    completed, failed, retried, milliseconds that completed jobs took
--   #retained        when retention last ran
--   #rate            when the next claim is due at an even rate
--   #slot:name       the newest slot of a recurring job that was handled
--
-- Returns nothing: definitions only.
--
-- Needs: base (int, push)
-- Needs: layout (COUNTERS)
-- Needs: tx (tx.now, tx.day)
-- Needs: read (tx.fields)
-- Needs: write (put)
-- Defines: counter_fields(), count(name, took)
local MINUTES = 16
local PLACES = { completed = 2, failed = 3, retried = 4 }

local function minute_field() return '#minute:' .. int(math.floor(tx.now / 60000) % MINUTES) end

-- Returns the fields that must be read before anything is counted.
local function counter_fields()
  local names = { '#retained', minute_field() }
  for _, name in ipairs(COUNTERS) do push(names, '#' .. name, '#' .. name .. ':' .. tx.day) end
  return names
end

local function count(name, took)
  for _, field in ipairs({ '#' .. name, '#' .. name .. ':' .. tx.day }) do
    put(field, int((tonumber(tx.fields[field]) or 0) + 1))
  end
  local place, minute = PLACES[name], int(math.floor(tx.now / 60000))
  if not place then return end
  local values = {}
  for value in string.gmatch(tx.fields[minute_field()] or '', '%d+') do push(values, value) end
  if values[1] ~= minute then values = { minute, 0, 0, 0, 0 } end
  values[place] = int(values[place] + 1)
  values[5] = int(values[5] + (took or 0))
  put(minute_field(), table.concat(values, ' '))
end
