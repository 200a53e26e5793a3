-- forget: deletes finished jobs, and everything that only they use.
--
-- Returns nothing: definitions only.
--
-- Needs: base (call, int, push)
-- Needs: tx (tx.keys)
-- Needs: read (read, tx.fields)
-- Defines: forget(job), delete_forgotten(ids, names)
local fields, shared_names, blobs = {}, {}, {}

local function forget(job)
  local id, spec = job.id, job.spec
  if spec.unique then push(shared_names, 'u:' .. spec.unique) end
  if spec.group then push(shared_names, 'g:' .. spec.group) end
  if spec.batch_end then push(fields, 'b:' .. spec.batch_end) end
  if spec.blob then push(blobs, id) end
  if job.header.result == 'blob' then push(blobs, id .. ':' .. int(job.header.settled)) end
end

-- Deletes the forgotten jobs, the further fields `names`, and the entries `ids` of `finished`.
-- Returns the blobs for the caller to delete: `{id}` for arguments and `{id}:{fence}` for a
-- result in a key of its own.
local function delete_forgotten(ids, names)
  push(fields, unpack(names))
  -- Unique keys and groups are deleted only if no unfinished job uses them now.
  read(shared_names)
  local seen = {}
  for _, name in ipairs(shared_names) do
    if tx.fields[name] == '' and not seen[name] then seen[name] = true; push(fields, name) end
  end
  call('HDEL', tx.keys.records, unpack(fields))
  call('ZREM', tx.keys.finished, unpack(ids))
  return blobs
end
