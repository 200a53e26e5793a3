//! Runs the jobs. Started by the schedule every minute, and by `enqueue` when no
//! drainer is awake.

mod environment;
mod jobs;

use std::sync::Arc;

use lambda_runtime::Diagnostic;
use serde_json::Value;
use shared::clock::Deadline;
use shared::queue::{Consumer, DrainReport, Queue};
use shared::redis::Scope;
use shared::redis::commands::Keys as _;
use shared::telemetry;

pub use environment::Environment;

/// What `enqueue` says of itself when it wakes a drainer.
const WAKER: &str = "trawl.enqueue";

/// The function.
pub struct Drain {
    queue: Queue,
    environment: Arc<Environment>,
}

/// A drain that failed. Its jobs are not lost: their leases end.
#[derive(Debug, thiserror::Error)]
#[error("the queue could not be drained")]
pub struct DrainError(#[source] shared::queue::Error);

impl From<DrainError> for Diagnostic {
    fn from(error: DrainError) -> Diagnostic {
        Diagnostic {
            error_type: "DrainFailed".to_owned(),
            error_message: telemetry::chain(&error),
        }
    }
}

impl Drain {
    pub fn new(queue: Queue, environment: Environment) -> Drain {
        Drain {
            queue,
            environment: Arc::new(environment),
        }
    }

    /// Drains the queue until it is empty or `deadline_ms` nears. Any event starts
    /// it; one of the schedule's first asks, for one command, whether there is work.
    ///
    /// # Errors
    /// When Redis stays away.
    pub async fn handle(&self, event: Value, deadline_ms: u64) -> Result<DrainReport, DrainError> {
        let budget = self.queue.config().budget;
        let deadline = Deadline::of_invocation(self.queue.clock(), deadline_ms, budget);
        self.run(&event, &deadline).await
    }

    /// As [`Drain::handle`], with a deadline the caller may bring forward.
    ///
    /// # Errors
    /// When Redis stays away.
    pub async fn run(&self, event: &Value, deadline: &Deadline) -> Result<DrainReport, DrainError> {
        self.drain(event, deadline).await.map_err(|error| {
            let error = DrainError(error);
            tracing::error!(error = telemetry::chain(&error), "drain failed");
            error
        })
    }

    async fn drain(
        &self,
        event: &Value,
        deadline: &Deadline,
    ) -> Result<DrainReport, shared::queue::Error> {
        let woken = event.get("source").and_then(Value::as_str) == Some(WAKER);
        if !woken && !self.has_work().await? {
            return Ok(DrainReport::default());
        }
        let handler = Arc::new(jobs::Handler::new(self.environment.clone()));
        // No call of the queue's outlives the invocation.
        let redis = self.environment.redis.scoped(Scope {
            deadline: Some(deadline.clone()),
            sync_token: None,
        });
        let consumer = Consumer::new(self.queue.on(&redis), handler);
        let report = consumer.drain(deadline).await?;
        tracing::info!(
            claimed = report.claimed,
            completed = report.completed,
            failed = report.failed,
            retried = report.retried,
            snoozed = report.snoozed,
            rounds = report.rounds,
            "drained"
        );
        Ok(report)
    }

    async fn has_work(&self) -> Result<bool, shared::queue::Error> {
        let index = self.queue.keys().index.as_str();
        Ok(self.environment.redis.exists(&[index]).await? > 0)
    }
}
