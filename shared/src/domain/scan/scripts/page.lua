-- page: what a page of messages does to the rows of its clips.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, int, push, tx, tx.keys)
-- Needs: rows (clip_of, field_of, know, list, message_of, note, read_rows, unlist)
-- Needs: rows (tx.before, tx.changes)
-- Needs: forwards (add_forward, forward_at, read_forwards, settle, tx.forwards, tx.settled)
-- Defines: tx.marks, tx.unmarked, take_page(request, texts), filled(words, found)
-- Members to add to and to remove from `order`, besides those of rows.
tx.marks, tx.unmarked = {}, {}
-- Of rows: the texts of the new ones, the members of the removed ones.
local new_texts, removed = {}, {}
local scores = {}

local function score_all(members)
  if #members == 0 then return end
  for n, score in ipairs(call('ZMSCORE', tx.keys.order, unpack(members))) do
    scores[members[n]] = score or nil
  end
end

-- The rows of a stretch that was read again that are no longer on its page.
local function find_stale(request)
  local on_page, kept, only, stale = {}, {}, request.only and {}, {}
  for _, clip in ipairs(request.clips) do on_page[clip.member] = true end
  for _, message in ipairs(request.kept) do kept[message] = true end
  for _, message in ipairs(request.only or {}) do only[message] = true end
  for _, stretch in ipairs(request.stretches) do
    for _, member in ipairs(read_rows(stretch[1], stretch[2])) do
      local message = string.match(member, '^%d+:(%d+):')
      local is_read = not kept[message] and (not only or only[message])
      if is_read and not on_page[member] then push(stale, member) end
    end
  end
  return stale
end

-- Reads what decides about the clips of a page and the rows that are stale.
local function look(clips, stale)
  local members, wanted, seen = {}, {}, {}
  for _, clip in ipairs(clips) do
    push(members, clip.member, '-' .. clip.member, '=' .. clip.id, '>' .. clip.id)
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

local function put_clips(clips, texts)
  local records = {}
  for n, clip in ipairs(clips) do
    if not scores['-' .. clip.member] then
      push(records, field_of(clip.member), texts[n])
      if clip.forward then
        add_forward(clip.id, clip.member, clip.posted)
      else
        list(clip.member, clip.posted)
        if not tx.settled[clip.id] then push(tx.marks, '=' .. clip.id) end
        tx.settled[clip.id] = true
      end
    end
  end
  return records
end

-- Stores the clips of a page in `tx`. Returns their records, the stale rows, and how many
-- clips are listed now that were in no row before.
local function take_page(request, texts)
  local stale = find_stale(request)
  look(request.clips, stale)
  local first = {}
  for id, places in pairs(tx.forwards) do first[id] = places[1] end
  remove_stale(stale)
  local records, more = put_clips(request.clips, texts), 0
  for id in pairs(tx.forwards) do
    settle(id, first[id], function(member)
      push(removed, member)
      more = more - 1
    end)
  end
  for n, clip in ipairs(request.clips) do
    if tx.changes[clip.member] and not tx.before[clip.member] then
      push(new_texts, texts[n])
      more = more + 1
    end
  end
  return records, stale, math.max(0, more)
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
-- `"@found"` anywhere with how many the job found. Returns nothing if there are none.
local function filled(words, found)
  for n, word in ipairs(words) do
    if word == '@clips' or word == '@removed' then
      if #(word == '@clips' and new_texts or removed) == 0 then return nil end
      words[n] = word == '@clips' and '{"clips":[' .. table.concat(new_texts, ',') .. ']}' or removed_text()
    else
      words[n] = string.gsub(word, '"@found"', int(found))
    end
  end
  return words
end
