//! A job queue of four keys, asked over REST, that costs nothing while idle.
//!
//! A job is stored by [`Queue::enqueue`] and run by whoever drains the queue
//! ([`Consumer`]). It is delivered at least once, and an outcome is accepted once:
//! every claim has a fence higher than all before, and only the newest may settle.
//!
//! | state | enters by | leaves by |
//! |---|---|---|
//! | waiting | enqueue, a delayed job coming due, a lease that ended, redrive | claim, cancel |
//! | delayed | enqueue with a time, retry, snooze | coming due, cancel |
//! | active | claim | settle; the end of its lease |
//! | completed | settle | retention: 24 hours, at most 1000 |
//! | failed | settle after the last attempt, too many stalls | retention: 7 days; redrive |
//! | cancelled | cancel; settle or sweep of one that was to be cancelled | retention: 7 days; redrive |
//!
//! Each transition is one Lua script in `scripts/`, where `layout.lua` describes the
//! keys. What each costs is kept in `tests/golden/queue-costs.txt`.

mod audit;
mod batch;
mod blobs;
mod consumer;
mod day;
mod drain;
mod error;
mod events;
mod follow;
mod handler;
mod helpers;
mod id;
mod ingest;
mod inspector;
mod job;
mod keys;
mod new_job;
mod once;
mod operator;
mod pressure;
mod producer;
mod recurring;
mod retention;
mod retry;
mod running;
mod scripts;
mod span;
mod spec;
mod state;
mod stats;
mod tick;
mod timing;
mod work;

use std::sync::Arc;

pub use audit::Audited;
pub use batch::BatchState;
pub use consumer::{Consumer, DrainReport};
pub use error::Error;
pub use follow::Followed;
pub use handler::{ActiveJob, JobHandler, Outcome, Signal};
pub use id::JobId;
pub use ingest::{Ingested, ReadForeign, foreign_id};
pub use inspector::Cursor;
pub use job::{Attempt, Job, JobError};
pub use keys::{Keys, SCAN};
pub use new_job::{NewJob, OnUnique};
pub use operator::{Cancelled, Changed, Purged, Redriven};
pub use pressure::Pressure;
pub use producer::Enqueued;
pub use recurring::{Missed, Recurring, Schedule, Slots};
pub use retry::Backoff;
pub use scripts::ALL as SCRIPTS;
pub use state::JobState;
pub use stats::{Counts, Stats, Totals};
pub use tick::{EndedJob, Settled};

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

    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub fn config(&self) -> &QueueConfig {
        &self.config
    }
}
