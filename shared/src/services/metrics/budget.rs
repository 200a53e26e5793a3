//! The commands of a month, which a plan bounds.
//!
//! Each environment adds what it used once that is a hundred commands, for one command
//! beside the work of some invocation. What an environment used since is lost with it,
//! and the number of commands inside scripts is the usual one: a reading is some per
//! cent off, mostly too low.

use chrono::Datelike as _;

use crate::clock::Clock;
use crate::redis::commands::hashes::{Hashes as _, hget};
use crate::redis::{Meter, Pipeline, Prefix, Redis, Slot};
use crate::telemetry;

/// How many commands are worth one more.
const WORTH: u64 = 100;

/// The commands of this deployment by month; clones share everything.
#[derive(Clone)]
pub struct CommandBudget {
    redis: Redis,
    meter: Option<Meter>,
    key: String,
    clock: Clock,
}

impl CommandBudget {
    /// The month's commands under this key prefix, counted by the meter of `redis`.
    pub fn new(redis: &Redis, prefix: &str, clock: Clock) -> CommandBudget {
        CommandBudget {
            redis: redis.clone(),
            meter: redis.meter(),
            key: Prefix::new(prefix).key("counter:commands"),
            clock,
        }
    }

    /// Adds what this process used, if that is worth it. A failure is left to the next
    /// time.
    pub async fn save(&self) {
        let Some(meter) = &self.meter else { return };
        let Some(commands) = meter.take_unsaved(WORTH) else {
            return;
        };
        let by = i64::try_from(commands).unwrap_or(i64::MAX);
        if let Err(error) = self.redis.hincrby(&self.key, &self.month(), by).await {
            tracing::debug!(
                error = telemetry::chain(&error),
                "commands were not counted"
            );
            // Added once more with the next hundred, if this environment lives so long.
            meter.give_back(commands);
        }
    }

    /// Adds the reading of this month's commands to a pipeline: one command.
    pub fn add_read(&self, pipeline: &mut Pipeline) -> Slot<Option<String>> {
        pipeline.add(hget(&self.key, &self.month()))
    }

    /// The month of the plan, in UTC: `2026-11`.
    pub fn month(&self) -> String {
        let now = chrono::DateTime::from_timestamp_millis(self.clock.now_ms()).unwrap_or_default();
        format!("{}-{:02}", now.year(), now.month())
    }
}
