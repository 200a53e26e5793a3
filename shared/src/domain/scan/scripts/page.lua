-- page: what a page of messages does to the rows of its clips.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, int, push, tx, tx.keys)
-- Needs: rows (clip_of, know, list, message_of, note, read_rows, terms_of)
-- Needs: rows (tx.before, tx.changes, tx.old_terms, unlist)
-- Needs: records (with_probe)
-- Needs: forwards (add_forward, forward_at, read_forwards, settle, tx.forwards, tx.settled)
-- Defines: tx.marks, tx.unmarked, take_page(request, texts, keys), filled(words, found)
-- Members to add to and to remove from `order`, besides those of rows.
tx.marks, tx.unmarked = {}, {}
-- The clips of the new rows, and the members of the removed ones.
local new_texts, removed = {}, {}
local scores = {}
local function score_all(members)
  for first = 1, #members, 4000 do
    local last = math.min(#members, first + 3999)
    for n, score in ipairs(call('ZMSCORE', tx.keys.order, unpack(members, first, last))) do
      scores[members[first + n - 1]] = score or nil
    end
  end
end

-- Reads what decides about the clips of a page and the rows that are stale.
local function look(clips, stale)
  local members, wanted, seen = {}, {}, {}
  for _, clip in ipairs(clips) do
    push(members, clip.member, '-' .. clip.member, '=' .. clip.id, '>' .. clip.id)
    if clip.author then push(members, '!' .. clip.author) end
  end
  for _, member in ipairs(stale) do push(members, '=' .. clip_of(member), '>' .. clip_of(member)) end
  score_all(members)
  for _, clip in ipairs(clips) do
    note(message_of(clip.member))
    if scores[clip.member] then know(clip.member) end
    tx.settled[clip.id] = scores['=' .. clip.id] and true or false
    local matters = clip.forward or (scores['>' .. clip.id] and not tx.settled[clip.id])
    if matters and not seen[clip.id] then seen[clip.id] = true; push(wanted, clip.id) end
  end
  for _, member in ipairs(stale) do
    local id = clip_of(member)
    tx.settled[id] = scores['=' .. id] and true or false
    if scores['>' .. id] and not seen[id] then seen[id] = true; push(wanted, id) end
  end
  read_forwards(wanted)
end

-- A link may be in any number of messages: if one is gone, the others may still be there.
local function is_link(id) return string.sub(id, 1, 1) == 'e' end

local function remove_stale(stale)
  for _, member in ipairs(stale) do
    local id = clip_of(member)
    local place = forward_at(id, member)
    unlist(member)
    push(removed, member)
    if place then
      table.remove(tx.forwards[id], place)
    elseif not is_link(id) then
      tx.settled[id] = false
      push(tx.unmarked, '=' .. id)
    end
  end
end

-- Reasons of a failed look that say nothing about the file.
local PASSING = { not_allowed = true, too_slow = true, unavailable = true }

-- The record of a clip, of which `old` was stored before: what was found inside the file is
-- kept, so nobody has to look again, unless the file could not be reached. Returns also its
-- terms, and whether the clip is too short.
local function merged(clip, text, old)
  local probe = old and string.match(old, '^[^\n]*\n([^\n]*)\n') or ''
  local code = string.match(probe, '"error":"([%l_]+)"')
  if probe == '' or PASSING[code] then return text, terms_of(text), false end
  local new, terms, ms = with_probe(text, probe)
  return new, terms, ms ~= nil and ms < (clip.min or 0)
end

local function put_clips(clips, texts, keys, old)
  local records, short = {}, {}
  for n, clip in ipairs(clips) do
    local is_unwanted = scores['-' .. clip.member] or (clip.author and scores['!' .. clip.author])
    if is_unwanted then
      if unlist(clip.member) then push(removed, clip.member) end
    else
      local text, terms, is_short = merged(clip, texts[n], old[n])
      tx.old_terms[clip.member] = terms_of(old[n]) or tx.old_terms[clip.member]
      if is_short then
        push(short, keys[n], text)
        if unlist(clip.member) then push(removed, clip.member) end
      else
        push(records, keys[n], text)
        if clip.forward then
          add_forward(clip.id, clip.member, clip.posted, terms)
        else
          list(clip.member, clip.posted, terms)
          if not tx.settled[clip.id] then push(tx.marks, '=' .. clip.id) end
          tx.settled[clip.id] = true
        end
      end
    end
  end
  return records, short
end

-- Stores the clips of a page in `tx`. `keys` are those of the records, first of the page's
-- clips, then of the stale rows. Returns what to write (their records and those of clips that
-- are too short), and how many clips are listed now that were in no row before.
local function take_page(request, texts, keys)
  local is_stale, stale = {}, {}
  for _, member in ipairs(request.stale) do is_stale[member] = true end
  for _, stretch in ipairs(request.stretches) do
    for _, member in ipairs(read_rows(stretch[1], stretch[2])) do
      if is_stale[member] then push(stale, member) end
    end
  end
  local old = {}
  if request.again and #keys > 0 then
    for n, text in ipairs(call('MGET', unpack(keys))) do old[n] = text or nil end
  end
  for n, member in ipairs(request.stale) do
    tx.old_terms[member] = terms_of(old[#request.clips + n])
  end
  look(request.clips, stale)
  local first = {}
  for id, places in pairs(tx.forwards) do first[id] = places[1] end
  remove_stale(stale)
  local records, short = put_clips(request.clips, texts, keys, old)
  local more = 0
  for id in pairs(tx.forwards) do
    settle(id, first[id], function(member)
      push(removed, member)
      more = more - 1
    end)
  end
  for n, clip in ipairs(request.clips) do
    if tx.changes[clip.member] and not tx.before[clip.member] then
      push(new_texts, string.match(texts[n], '^[^\n]*\n[^\n]*\n(.*)$'))
      more = more + 1
    end
  end
  return { records = records, short = short, stale = stale }, math.max(0, more)
end

local function removed_text()
  local places = {}
  for _, member in ipairs(removed) do
    local channel, message, id = string.match(member, '^(%d+):0*(%d+):(.+)$')
    push(places, string.format('{"channelId":"%s","messageId":"%s","id":"%s"}', channel, message, id))
  end
  return '{"clips":[' .. table.concat(places, ',') .. ']}'
end

-- Fills in a command: `@clips` with the new clips, `@removed` with the removed ones, and
-- `"@found"` anywhere with how many the job found. An event without clips is left out: the
-- words of an event are `at`, its place, `type`, `data` and `timestamp`, each with its value.
local EVENT_WORDS = 8
local function filled(words, found)
  local written, has_events = {}, #words < EVENT_WORDS
  for n = #words, 1, -1 do
    if words[n] == '@clips' or words[n] == '@removed' then
      local is_clips = words[n] == '@clips'
      if #(is_clips and new_texts or removed) == 0 then
        for _ = 1, EVENT_WORDS do table.remove(words, n - 5) end
      else
        words[n] = is_clips and '{"clips":[' .. table.concat(new_texts, ',') .. ']}' or removed_text()
      end
    end
  end
  for n, word in ipairs(words) do
    has_events = has_events or word == 'data'
    written[n] = (string.gsub(word, '"@found"', int(found)))
  end
  return has_events and written or nil
end
