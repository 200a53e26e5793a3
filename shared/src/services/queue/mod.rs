//! A job queue that is stored in four Redis keys, works over REST, and costs nothing while
//! it is idle.
//!
//! [`Queue::enqueue`] stores a job, and a worker ([`Consumer`]) runs it. A job is delivered
//! at least once, and one outcome is accepted. Every claim increments the job's fence, and
//! only the attempt with the newest fence may settle the job.
//!
//! | state | how a job enters it | how a job leaves it |
//! |---|---|---|
//! | waiting | enqueue; a delayed job is due; its lease ended; redrive | claim; cancel |
//! | delayed | enqueue with a time; retry; snooze | the job is due; cancel |
//! | active | claim | settle; its lease ends |
//! | completed | settle | retention: 24 hours, at most 1000 jobs |
//! | failed | settle after the last attempt; as many lost leases as it has attempts ([`layout::STALL_LIMIT`] at least) | retention: 7 days; redrive |
//! | cancelled | cancel; settle or sweep of a job whose cancellation was requested | retention: 7 days; redrive |
//!
//! Each transition is one Lua script in `scripts/`; `layout.lua` there describes the keys.
//! `tests/golden/queue-costs.txt` lists the cost of each transition.
//!
//! # Map
//!
//! | folder | used by | start at |
//! |---|---|---|
//! | `producer/` | routes and schedules that store jobs | [`Queue::enqueue`], [`NewJob`] |
//! | `worker/` | the function that runs jobs | [`Consumer::drain`], [`JobHandler`] |
//! | `operator/` | people and dashboards, to read, list, cancel, redrive, pause and count | [`Queue::job`], [`Queue::cancel`], [`Queue::stats`] |
//! | `scripts/` | the three folders above: every state change, in Lua | `layout.lua` |
//!
//! The three folders do not use each other, with one exception: a worker runs retention
//! before it leaves. The files beside this one hold what they share:
//!
//! | file | content | used by |
//! |---|---|---|
//! | `job`, `id`, `state`, `error` | the vocabulary: a job as it is shown, its id, its states, its errors | all |
//! | `keys` | every key of the queue | all |
//! | `spec` | a job as it is stored | producer writes, worker and operator read |
//! | `retry` | the waits between attempts | producer stores them, worker waits |
//! | `blobs` | arguments and results that are too large for the record | all |
//! | `events` | `PUBLISH` for programs that listen | producer, worker |
//! | `moment` | the time that every script is given, and the check that the clock can be trusted | all |
//! | `layout` | the constants that Lua and Rust share | all, and the scripts |
//! | `lua` | the Lua files, and the scripts built from them | `scripts` |
//! | `scripts`, `once` | the only callers of a script | all |

mod blobs;
mod error;
mod events;
mod id;
mod job;
mod keys;
pub mod layout;
mod lua;
mod moment;
mod once;
mod operator;
mod producer;
mod retry;
mod scripts;
mod spec;
mod state;
mod worker;

use std::sync::Arc;

pub use error::Error;
pub use id::JobId;
pub use job::{Attempt, Job};
pub use keys::{CLIP, Keys, SCAN};
pub use lua::ALL as SCRIPTS;
pub use operator::*;
pub use producer::{
    BatchState, Enqueued, FOREIGN, Ingested, Missed, NewJob, OnUnique, ReadForeign, Recurring,
    Schedule, Slots, foreign_id,
};
pub use retry::Backoff;
pub use spec::JobError;
pub use state::JobState;
pub use worker::{
    ActiveJob, Claim, Consumer, DrainReport, EndedJob, JobHandler, Outcome, Settled, Signal,
};

use scripts::Scripts;

use crate::clock::Clock;
use crate::config::QueueConfig;
use crate::redis::Redis;

/// A queue, identified by its name. Cheap to clone.
#[derive(Clone)]
pub struct Queue {
    redis: Redis,
    keys: Arc<Keys>,
    clock: Clock,
    config: Arc<QueueConfig>,
}

impl Queue {
    /// Returns the queue `name` under the deployment's key prefix.
    pub fn new(redis: Redis, prefix: &str, name: &str, clock: Clock, config: QueueConfig) -> Queue {
        Queue {
            redis,
            keys: Arc::new(Keys::new(prefix, name)),
            clock,
            config: Arc::new(config),
        }
    }

    /// Returns the same queue on another Redis handle, such as one that is scoped to a
    /// request.
    pub fn on(&self, redis: &Redis) -> Queue {
        Queue {
            redis: redis.clone(),
            ..self.clone()
        }
    }

    /// The keys of this queue.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The clock that this queue takes its times from.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The settings of this queue.
    pub fn config(&self) -> &QueueConfig {
        &self.config
    }

    fn scripts(&self) -> Scripts<'_> {
        Scripts {
            redis: &self.redis,
            keys: &self.keys,
        }
    }
}
