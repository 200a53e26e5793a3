-- heal: completes the end of a finished job that is still in the index, because the script
-- that ended it died halfway.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, push)
-- Needs: tx (tx.keys, tx.now)
-- Needs: read (load)
-- Needs: score (index_score)
-- Needs: schedule (due_at)
-- Needs: group (leave)
-- Needs: successor (batch_of, next_of)
-- Needs: finish (put_finished)
-- Defines: heal(job)

local function heal(job)
  leave(job)
  put_finished(job)
  local ids, successor, batch = {}, next_of(job), batch_of(job)
  if successor then push(ids, successor.id) end
  if batch and batch.left == 0 then push(ids, batch.last.id) end
  local entries = {}
  for id, stored in pairs(load(ids)) do
    if stored.header.fence == 0 and stored.header.state == 'waiting' then
      push(entries, index_score(stored.spec.run_at, stored.spec.priority), id)
      due_at(tx.now)
    end
  end
  if #entries > 0 then call('ZADD', tx.keys.index, 'NX', unpack(entries)) end
end
