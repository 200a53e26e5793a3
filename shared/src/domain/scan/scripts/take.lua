-- take: makes an attempt of a job the owner of a channel's record, unless the circuit
-- breaker is open.
--
-- KEYS[1]  scan:channels:{guild}   HASH    channel id -> record
-- KEYS[2]  discord:pace:breaker    STRING  the circuit breaker
-- KEYS[3]  guild:settings:{guild}  STRING  the guild's settings
-- KEYS[4]  notice:webhook:{guild}  STRING  the guild's webhook
-- ARGV[1]  channel
-- ARGV[2]  now    unix milliseconds
-- ARGV[3]  job
-- ARGV[4]  fence
-- ARGV[5]  until  unix milliseconds, the end of the ownership unless it is renewed
-- ARGV[6]  latest unix milliseconds, until when the caller waits for the channel's next page
-- ARGV[7]  token  a mark of the token that requests to Discord carry
--
-- Returns {`taken`, record, settings, breaker}; {`busy`, until, …} while another job owns it;
-- {`lost`, 0, …} when a later attempt of this job does; {`paused`, until, …} while the
-- breaker is open; {`slow`, until, …} when the channel's next page is due after `latest`;
-- {`done`, record, …} when the job's last page was saved before. The settings and the breaker
-- are as they are stored, or empty. At the end, all have `1` if there is a webhook, or nothing.
--
-- Needs: breaker (paused_until, read_breaker)
local channel, job = ARGV[1], ARGV[3]
local now, fence, ends, latest = tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local breaker, settings, webhook = unpack(redis.call('MGET', KEYS[2], KEYS[3], KEYS[4]))
breaker, settings, webhook = breaker or '', settings or '', webhook and '1' or ''
local paused = paused_until(read_breaker(breaker), ARGV[7])
if paused > now then return { 'paused', paused, settings, breaker, webhook } end
local stored = redis.call('HGET', KEYS[1], channel)
local record = stored and cjson.decode(stored) or { revision = 0 }
local owner = record.owner
if owner and owner ~= cjson.null then
  if owner.job ~= job and owner['until'] > now then return { 'busy', owner['until'], settings, breaker, webhook } end
  if owner.job == job and owner.fence > fence then return { 'lost', 0, settings, breaker, webhook } end
end
local work = record.works and record.works[job]
if work and work.done then return { 'done', stored, settings, breaker, webhook } end
local next_page = tonumber(record.nextPageAt or 0)
if next_page > latest then return { 'slow', next_page, settings, breaker, webhook } end
record.owner = { job = job, fence = fence, ['until'] = ends }
record.status, record.updatedAt, record.errorMessage = 'RUNNING', now, nil
local text = cjson.encode(record)
redis.call('HSET', KEYS[1], channel, text)
return { 'taken', text, settings, breaker, webhook }
