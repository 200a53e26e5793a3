-- records: the records of clips, three lines each: what a clip is found by, what was found
-- inside its file, and the clip.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, push)
-- Defines: with_probe(text, probe), write_records(written, keys, n_clips)
-- A clip that turned out to be too short is not listed. It is remembered for 30 days, so
-- that nobody looks into its file again.
local SHORT_KEPT = 30 * 24 * 3600 * 1000

local function without(terms, pattern)
  local kept = {}
  for term in string.gmatch(terms, '%S+') do
    if not string.match(term, '^' .. pattern .. '$') then push(kept, term) end
  end
  return table.concat(kept, ' ')
end

-- A record with what was found inside the file. Returns also its terms, and the length in
-- milliseconds if the file says it.
local function with_probe(text, probe)
  local terms, json = string.match(text, '^([^\n]*)\n[^\n]*\n(.*)$')
  local ms = cjson.decode(probe).ms
  terms = without(terms, 'q')
  if ms then terms = string.format('%s l%09.0f', without(terms, 'l%d+'), ms) end
  return terms .. '\n' .. probe .. '\n' .. json, terms, ms
end

-- Writes the records of clips and deletes those of stale rows, whose keys come after the
-- keys of the page's clips.
local function write_records(written, keys, n_clips)
  local gone = {}
  for n = n_clips + 1, #keys do push(gone, keys[n]) end
  if #gone > 0 and #written.stale > 0 then call('DEL', unpack(gone)) end
  if #written.records > 0 then call('MSET', unpack(written.records)) end
  for n = 1, #written.short, 2 do
    call('SET', written.short[n], written.short[n + 1], 'PX', SHORT_KEPT)
  end
end
