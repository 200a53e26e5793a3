-- token_bucket_refund: refunds a call that had no effect. The id is the refund's own.
--
-- Returns 1 refunded, 0 if it was refunded before or the bucket is full.
--
-- Needs: call (weight)
-- Needs: ids (is_known, remember)
-- Needs: bucket (full, now_us, state, token, keep)
if is_known(state) or full == now_us then return 0 end
remember(state)
keep(math.max(full - weight * token, now_us))
return 1
