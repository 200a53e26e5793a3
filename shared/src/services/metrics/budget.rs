//! The commands used in a month, which the plan limits.
//!
//! Each environment adds its count when it reaches a hundred commands, with one command
//! beside the work of some invocation. When an environment ends, the commands it has not
//! added yet are lost, and the number of commands inside scripts is an estimate. A reading
//! is therefore a few percent off, mostly too low.

use chrono::Datelike as _;

use crate::clock::Clock;
use crate::redis::commands::hashes::{Hashes as _, hget};
use crate::redis::{Meter, Pipeline, Prefix, Redis, Slot};
use crate::telemetry;

/// The number of commands after which a count is added.
const WORTH: u64 = 100;

/// The deployment's commands, by month. Clones share everything.
#[derive(Clone)]
pub struct CommandBudget {
    redis: Redis,
    meter: Option<Meter>,
    key: String,
    clock: Clock,
}

impl CommandBudget {
    /// Creates the count under this key prefix, fed by the meter of `redis`.
    pub fn new(redis: &Redis, prefix: &str, clock: Clock) -> CommandBudget {
        CommandBudget {
            redis: redis.clone(),
            meter: redis.meter(),
            key: Prefix::new(prefix).key("counter:commands"),
            clock,
        }
    }

    /// Adds the commands of this process if there are enough of them. After a failure, the
    /// next call tries again.
    pub async fn save(&self) {
        let Some(meter) = &self.meter else { return };
        let Some(commands) = meter.take_unsaved(WORTH) else {
            return;
        };
        let by = i64::try_from(commands).unwrap_or(i64::MAX);
        if let Err(error) = self.redis.hincrby(&self.key, &self.month(), by).await {
            tracing::debug!(
                error = telemetry::chain(&error),
                "the month's command count could not be stored"
            );
            // They are added with the next hundred, if this environment lives that long.
            meter.give_back(commands);
        }
    }

    /// Adds the read of this month's commands to a pipeline: one command.
    pub fn add_read(&self, pipeline: &mut Pipeline) -> Slot<Option<String>> {
        pipeline.add(hget(&self.key, &self.month()))
    }

    /// The month of the plan, in UTC, such as `2026-11`.
    pub fn month(&self) -> String {
        let now = chrono::DateTime::from_timestamp_millis(self.clock.now_ms()).unwrap_or_default();
        format!("{}-{:02}", now.year(), now.month())
    }
}
