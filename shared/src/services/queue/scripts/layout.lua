-- layout: how jobs are stored. This is the only description. `layout.rs` has the same constants
-- for Rust, and a test compares the two.
--
-- A job is in `index` while it is unfinished and in `finished` afterwards. The band of its
-- score is its state. The times in scores count from 2024, which keeps them below 2^53,
-- where a double is exact.
--
--   index     -1            the member `!`: the queue is paused
--             [0, 2^44)     waiting: enqueued + (priority - 1) * aging
--             [2^44, 2^45)  waiting, but parked until its group has room: the same + 2^44
--             [2^45, 2^46)  delayed: 16 * run_at + priority
--             [2^46, ...)   active: the end of the lease
--   finished  [0, 2^44)     completed  \
--             [2^44, 2^45)  failed      } the time it finished
--             [2^45, ...)   cancelled  /
--   parked    0             `{group}`, a zero byte, the priority in two digits, a zero byte,
--                           `{id}`: the parked jobs of each group, in order
--
-- Fields of `records`, where `id` is a job id:
--
--   id     the header: the part that changes, as JSON; none until the first claim
--   id:p   the spec: the part that rarely changes, as JSON; then a newline and the arguments
--   id:r   the result, or the checkpoint of a job that will continue
--   id:s   the progress, written by the worker
--   u:key  the unfinished job with this unique key
--   g:key  the active jobs of this group; a `+` before them means that others are parked
--   b:id   a batch: how many of its jobs are left, how the others ended, and its last job
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
-- The scores of one millisecond for a delayed job. They leave room for the priority.
local DELAYED_STEP = 16
local FINISHED = { completed = 0, failed = 17592186044416, cancelled = 35184372088832 }
local PAUSE = '!'
-- The newest format of a spec that these scripts can read.
local VERSION = 2
local COUNTERS = { 'completed', 'failed', 'cancelled', 'retried', 'stalled' }
-- A job is considered poisonous after this many lost leases, or after as many as it has
-- attempts, if that is more. A snooze or a redrive resets the count.
local STALL_LIMIT = 3
