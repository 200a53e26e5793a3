-- layout: where a job is stored. The one description of it; `layout.rs` holds the same
-- constants for Rust, and a test compares the two.
--
-- A job is in `index` while it is unfinished and in `finished` afterwards; the band of its
-- score is its state. The times in scores count from 2024, which keeps them below 2^53,
-- where a double is exact.
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
--   id     the header: the part that changes, as JSON; none until the first claim
--   id:p   the spec: the part that rarely changes, as JSON, a line end, the arguments
--   id:r   the result, or the checkpoint of a job that will continue
--   id:s   the progress, written by the worker
--   u:key  the unfinished job with this unique key
--   g:key  the active jobs of this group, after a `+` if others are parked
--   b:id   a batch: how many of its jobs are left, how the others ended, its last job
--   #name  counters (see `count`); `#slot:{name}` and `#plan:{name}`, the newest slot of a
--          recurring job that was handled, and the schedule it belongs to
--
-- Returns nothing: definitions only.
--
-- Defines: EPOCH, PARKED, DELAYED, DELAYED_STEP, ACTIVE, FINISHED, PAUSE, VERSION
-- Defines: COUNTERS, STALL_LIMIT
local EPOCH = 1704067200000
local PARKED = 17592186044416
local DELAYED = 35184372088832
local ACTIVE = 70368744177664
-- What a millisecond is in the score of a delayed job: it leaves room for the priority.
local DELAYED_STEP = 16
local FINISHED = { completed = 0, failed = 17592186044416, cancelled = 35184372088832 }
local PAUSE = '!'
-- The newest form of a spec that these scripts can read.
local VERSION = 2
local COUNTERS = { 'completed', 'failed', 'cancelled', 'retried', 'stalled' }
-- After so many lost leases since it was last snoozed or redriven, or as many as it has
-- attempts if those are more, a job is taken for the reason its workers die.
local STALL_LIMIT = 3
