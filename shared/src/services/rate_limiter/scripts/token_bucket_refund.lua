-- token_bucket_refund: take a call back that came to nothing.
--
-- After `call` and `bucket`, with their KEYS and ARGV; the id is the refund's own.
--
-- Returns 1 taken back, 0 when it was before, or the bucket is full.
if is_known(state) or full == now_us then return 0 end
remember(state)
keep(math.max(full - weight * token, now_us))
return 1
