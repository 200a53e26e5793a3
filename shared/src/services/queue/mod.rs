//! A job queue of four keys, asked over REST, that costs nothing while idle.
//!
//! A job is stored by [`Queue::enqueue`] and run by a worker
//! ([`Consumer`]). It is delivered at least once, and an outcome is accepted once:
//! every claim has a fence higher than all before, and only the newest may settle.
//!
//! | state | enters by | leaves by |
//! |---|---|---|
//! | waiting | enqueue, a delayed job coming due, a lease that ended, redrive | claim, cancel |
//! | delayed | enqueue with a time, retry, snooze | coming due, cancel |
//! | active | claim | settle; the end of its lease |
//! | completed | settle | retention: 24 hours, at most 1000 |
//! | failed | settle after the last attempt, as many lost leases as attempts ([`layout::STALL_LIMIT`] at least) | retention: 7 days; redrive |
//! | cancelled | cancel; settle or sweep of one that was to be cancelled | retention: 7 days; redrive |
//!
//! Each transition is one Lua script in `scripts/`, where `layout.lua` describes the
//! keys. What each costs is in `tests/golden/queue-costs.txt`.
//!
//! # Map
//!
//! | folder | for whom | start at |
//! |---|---|---|
//! | `producer/` | routes and schedules that store jobs | [`Queue::enqueue`], [`NewJob`] |
//! | `worker/` | the function that runs jobs | [`Consumer::drain`], [`JobHandler`] |
//! | `operator/` | people and dashboards: read, list, cancel, redrive, pause, count | [`Queue::job`], [`Queue::cancel`], [`Queue::stats`] |
//! | `scripts/` | the three of them: every change of state, in Lua | `layout.lua` |
//!
//! The three folders do not use each other, but for retention, which a worker runs on its
//! way out. What they share is beside this file:
//!
//! | file | what is in it | used by |
//! |---|---|---|
//! | `job`, `id`, `state`, `error` | the words: a job as it is shown, its id, its states, what can go wrong | all |
//! | `keys` | every key of the queue | all |
//! | `spec` | a job as it is stored | producer writes, worker and operator read |
//! | `retry` | the waits between attempts | producer stores them, worker waits |
//! | `blobs` | arguments and results too large for the record | all |
//! | `events` | `PUBLISH` for programs that listen | producer, worker |
//! | `moment` | the time every script is given, and whether the clock can be trusted | all |
//! | `layout` | the constants that Lua and Rust share | all, and the scripts |
//! | `lua` | the Lua files and the scripts made of them | `scripts` |
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
pub use keys::{Keys, SCAN};
pub use lua::ALL as SCRIPTS;
pub use operator::*;
pub use producer::{
    BatchState, Enqueued, Ingested, Missed, NewJob, OnUnique, ReadForeign, Recurring, Schedule,
    Slots, foreign_id,
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

/// One queue by its name. Cheap to clone.
#[derive(Clone)]
pub struct Queue {
    redis: Redis,
    keys: Arc<Keys>,
    clock: Clock,
    config: Arc<QueueConfig>,
}

impl Queue {
    /// The queue `name` under the deployment's key prefix.
    pub fn new(redis: Redis, prefix: &str, name: &str, clock: Clock, config: QueueConfig) -> Queue {
        Queue {
            redis,
            keys: Arc::new(Keys::new(prefix, name)),
            clock,
            config: Arc::new(config),
        }
    }

    /// The same queue through another handle, such as one scoped to a request.
    pub fn on(&self, redis: &Redis) -> Queue {
        Queue {
            redis: redis.clone(),
            ..self.clone()
        }
    }

    /// The keys it is stored under.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The clock its times are taken from.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Its settings.
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
