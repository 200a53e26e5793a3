-- page: what a page of messages does to the rows of its clips.
--
-- Returns nothing: definitions only.
local marks, unmarked = {}, {}
-- Of rows: those new, by their texts; those gone.
local new_texts, removed = {}, {}
local scores = {}

local function score_all(members)
  if #members == 0 then return end
  for n, score in ipairs(call('ZMSCORE', keys.order, unpack(members))) do
    scores[members[n]] = score or nil
  end
end

-- The rows of a stretch that was read again which are not on its page.
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
    settled[clip.id] = scores['=' .. clip.id] and true or false
    local matters = clip.forward or (scores['>' .. clip.id] and not settled[clip.id])
    if matters and not seen[clip.id] then seen[clip.id] = true; push(wanted, clip.id) end
  end
  for _, member in ipairs(stale) do
    local id = clip_of(member)
    settled[id] = scores['=' .. id] and true or false
    if scores['>' .. id] and not seen[id] then seen[id] = true; push(wanted, id) end
  end
  read_forwards(wanted)
end

-- A link stands in as many messages as like: that one is gone tells nothing of the rest.
local function is_link(id) return string.sub(id, 1, 1) == 'e' end

local function remove_stale(stale)
  for _, member in ipairs(stale) do
    local id = clip_of(member)
    local place = forward_at(id, member)
    unlist(member)
    push(removed, member)
    if place then
      table.remove(forwards[id], place)
    elseif not is_link(id) then
      settled[id] = false
      push(unmarked, '=' .. id)
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
        if not settled[clip.id] then push(marks, '=' .. clip.id) end
        settled[clip.id] = true
      end
    end
  end
  return records
end

-- Puts the clips of a page in their place. Returns their records, and how many clips are
-- listed that were not under any row.
local function take_page(request, texts)
  local stale = find_stale(request)
  look(request.clips, stale)
  local first = {}
  for id, places in pairs(forwards) do first[id] = places[1] end
  remove_stale(stale)
  local records, more = put_clips(request.clips, texts), 0
  for id in pairs(forwards) do
    settle(id, first[id], function(member)
      push(removed, member)
      more = more - 1
    end)
  end
  for n, clip in ipairs(request.clips) do
    if changes[clip.member] and not before[clip.member] then
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

-- Fills in what a command is to tell: `@clips` the new clips, `@removed` those gone, and
-- `"@found"` anywhere how many the job found. Returns nothing where there are none.
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
