//! Mistakes of the shipped scripts that are known and not mended yet: each is mended
//! here, so that the others are found. The list is to be empty; one that is mended in
//! the scripts no longer applies and is to go.

use super::Patch;

pub const KNOWN: [Patch; 8] = [
    Patch::new(
        "  this.holders[id] = held or nil\n",
        "  this.holders[id] = held or nil\n  if held then this.checked = true end\n",
    ),
    Patch::new(
        "  if not batch then return end\n  job.header.batched",
        "  if not batch or batch.left == 0 then return end\n  job.header.batched",
    ),
    Patch::new(
        "if is_finished and not finished[n] then",
        "if is_finished and tonumber(finished[n] or -1) ~= is_finished + (job.header.finished or now) - EPOCH then",
    ),
    Patch::new(
        "if request.replay then hand_out_again(request.token) end",
        "if request.replay then hand_out_again(request.token) end\nfor _, job in ipairs(claimed) do touched[job[1]] = true; push(writes.unfinished, int(ACTIVE + lease_end - EPOCH), job[1]) end",
    ),
    Patch::new(
        "    answers[n] = { 'dup', twin or job.id }",
        "    answers[n] = { 'dup', twin or job.id }\n    if spec ~= '' and owner and owner.id == job.id then taken['u:' .. job.unique] = job.id end",
    ),
    Patch::new(
        "if #entries > 0 then call('ZADD', keys.index, 'NX', unpack(entries)) end\nif #parked",
        "local kept, out = {}, {}\nfor _, owner in ipairs(replaced) do out[owner.id] = true end\nfor n = 1, #entries, 2 do if not out[entries[n + 1]] then push(kept, entries[n], entries[n + 1]) end end\nentries = kept\nif #entries > 0 then call('ZADD', keys.index, 'NX', unpack(entries)) end\nif #parked",
    ),
    Patch::new(
        "  for _, n in ipairs(new) do answers[n] = { 'full', jobs[n].id } end",
        "  local full = {}\n  for _, n in ipairs(new) do answers[n] = { 'full', jobs[n].id }; full[jobs[n].id] = true end\n  for n, answer in ipairs(answers) do if answer[1] == 'dup' and full[answer[2]] then answers[n] = { 'full', jobs[n].id } end end",
    ),
    Patch::new(
        "local page = call('HSCAN'",
        "if cursor == '0' then\n  local found, moves = call('ZRANGE', keys.index, int(PARKED), int(DELAYED - 1), 'BYSCORE', 'LIMIT', 0, 500, 'WITHSCORES'), {}\n  for n = 1, #found, 2 do push(moves, int(tonumber(found[n + 1]) - PARKED), found[n]) end\n  if #moves > 0 then call('ZADD', keys.index, unpack(moves)) end\nend\nlocal page = call('HSCAN'",
    ),
];
