-- layout: where a job is kept; stands before every script of the queue.
--
-- A job is in `index` while unfinished and in `finished` afterwards; the band of
-- its score is its state. The times in scores count from 2024, which keeps them
-- below 2^53, where a double is exact.
--
--   index     -1            the member `!`: the queue is paused
--             [0, 2^44)     waiting: enqueued + (priority - 1) * aging
--             [2^44, 2^45)  waiting, parked until its group has room: the same + 2^44
--             [2^45, 2^46)  delayed: 16 * run_at + priority
--             [2^46, ...)   active: the end of the lease
--   finished  [0, 2^44)     completed  \
--             [2^44, 2^45)  failed      } the time it finished
--             [2^45, ...)   cancelled  /
--   parked    0             `{group}`, a zero byte, the priority in two digits, a zero
--                           byte, `{id}`: the parked jobs of a group in their order
--
-- Fields of `records`, for a job `id`:
--
--   id     the header: what changes, as JSON; none until the first claim
--   id:p   the spec: what seldom changes, as JSON, a line end, the arguments as text
--   id:r   the result, or the checkpoint of a job that is to go on
--   id:s   the progress, written by the worker
--   u:key  the unfinished job with this unique key
--   g:key  the active jobs of this group, `+` before them when others are parked
--   b:id   a batch: how many of its jobs are left, what came of the others, its last job
--   #name  counters; `#slot:` and `#plan:` with the name of a recurring job, the newest
--          slot that was seen to and the schedule it is of
--
-- Returns nothing: definitions only.
local EPOCH = 1704067200000
local WAITING_END = 17592186044415
local PARKED, DELAYED, ACTIVE = 17592186044416, 35184372088832, 70368744177664
local FINISHED = { completed = 0, failed = 17592186044416, cancelled = 35184372088832 }
local PAUSE = '!'
-- The newest form of a job these scripts can read.
local VERSION = 2
local call = redis.call

-- Lua's own way of writing numbers rounds to 14 digits.
local function int(number) return string.format('%.0f', number) end

local function waiting_score(since, priority, aging)
  return int(since - EPOCH + (priority - 1) * aging)
end

local function delayed_score(run_at, priority)
  return int(DELAYED + (run_at - EPOCH) * 16 + priority)
end

local function push(list, ...)
  for _, value in ipairs({ ... }) do list[#list + 1] = value end
end
