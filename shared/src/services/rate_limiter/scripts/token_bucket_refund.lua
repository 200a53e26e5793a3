-- token_bucket_refund: takes back a call that came to nothing. The id is the refund's own.
--
-- Returns 1 taken back, 0 when it was taken back before, or the bucket is full.
--
-- Needs: call (weight)
-- Needs: ids (is_known, remember)
-- Needs: bucket (full, now_us, state, token, keep)
if is_known(state) or full == now_us then return 0 end
remember(state)
keep(math.max(full - weight * token, now_us))
return 1
