-- sliding_window_refund: take a call back that came to nothing.
--
-- After `call` and `slots`, with their KEYS and ARGV; the id is the refund's own.
-- ARGV[6]  at  when the call was admitted, unix milliseconds
--
-- Returns 1 taken back, 0 when it was before, or counts no more.
local at = math.floor(tonumber(ARGV[6]) / slot_ms)
if is_known(state) or leaves(at) <= moment then return 0 end
for _, entry in ipairs(slots) do
  -- The slot of its time, or the one a clock behind was counted in.
  if entry[1] >= at and counts(entry) then
    entry[2] = math.max(entry[2] - weight, 0)
    remember(state)
    save(state, leaves(newest))
    return 1
  end
end
return 0
