//! Runs the jobs. The schedule starts it every minute, and `enqueue` starts it when no
//! drainer is running.

mod chores;
mod clients;
mod jobs;
mod serve;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use shared::clock::Deadline;
use shared::metrics::{CommandBudget, Metrics, Unit};
use shared::panics::{Panicked, caught};
use shared::queue::{Consumer, DrainReport, Pressure, Queue, SCAN};
use shared::redis::Scope;
use shared::start::{Start, StartError};
use shared::telemetry;
use shared::waker::{BY_DRAIN, BY_ENQUEUE, INTERVAL, Wake};

pub use chores::Chores;
pub use clients::Clients;
pub use serve::serve;

/// Builds the function from its settings.
///
/// # Errors
/// If a setting is missing or invalid.
pub fn worker(start: &Start) -> Result<Drain, StartError> {
    let settings = start.settings();
    let queue = start.queue_without_admission(SCAN)?;
    let redis = start.redis_without_admission().clone();
    let chores = Chores::new(&settings.drain()?, start.clock())?;
    let helpers = start.wake(BY_DRAIN);
    let helpers = helpers.map(|wake| -> Arc<dyn Wake> { Arc::new(wake) });
    let (prefix, discord) = (start.key_prefix(), settings.discord()?);
    let clients = Clients::new(queue.clone(), redis, prefix, &discord)?;
    let (metrics, budget) = (start.metrics()?, start.budget());
    Ok(Drain {
        queue,
        clients: Arc::new(clients),
        chores,
        helpers,
        metrics,
        budget,
    })
}

/// The function.
pub struct Drain {
    queue: Queue,
    clients: Arc<Clients>,
    chores: Chores,
    /// Starts further drainers. `None` if none can be started.
    helpers: Option<Arc<dyn Wake>>,
    metrics: Metrics,
    budget: CommandBudget,
}

/// A failed drain. Its jobs are not lost: they return to the queue when their leases
/// expire.
#[derive(Debug, thiserror::Error)]
pub enum DrainError {
    #[error("the queue could not be drained")]
    Failed(#[source] shared::queue::Error),
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

impl DrainError {
    /// The error type as Lambda shows it.
    pub fn kind(&self) -> &'static str {
        match self {
            DrainError::Failed(_) => "DrainFailed",
            DrainError::Panicked(_) => "Panic",
        }
    }
}

impl Drain {
    /// Drains the queue until it is empty or `deadline_ms` is near. Any event starts a
    /// drain. An event that is not a wake-up, such as the schedule's, first runs the
    /// chores and checks for work with one command.
    ///
    /// # Errors
    /// If Redis stays unavailable.
    pub async fn handle(&self, event: Value, deadline_ms: u64) -> Result<DrainReport, DrainError> {
        let budget = self.queue.config().budget;
        let deadline = Deadline::of_invocation(self.queue.clock(), deadline_ms, budget);
        self.run(&event, &deadline).await
    }

    /// Like [`Drain::handle`], but the caller may bring the deadline forward.
    ///
    /// # Errors
    /// If Redis stays unavailable.
    pub async fn run(&self, event: &Value, deadline: &Deadline) -> Result<DrainReport, DrainError> {
        let started = self.queue.clock().elapsed();
        let outcome = match caught(self.drain(event, deadline)).await {
            Ok(drained) => drained.map_err(DrainError::Failed),
            Err(panicked) => Err(panicked.into()),
        };
        if let Err(error) = &outcome {
            tracing::error!(error = telemetry::chain(error), "drain failed");
        }
        let report = outcome.as_ref().ok().cloned().unwrap_or_default();
        self.measure(&report, outcome.is_err(), started).await;
        if report.rounds > 0 {
            self.budget.save().await;
        }
        outcome
    }

    async fn measure(&self, report: &DrainReport, failed: bool, started: Duration) {
        if !self.metrics.is_on() {
            return;
        }
        // A drainer without work found an empty index.
        let pressure = match report.rounds {
            0 if !failed => Ok(Pressure::default()),
            _ => self.queue.pressure().await,
        };
        let mut event = self.metrics.event();
        if let Ok(pressure) = pressure {
            event.count("QueueDepth", pressure.waiting);
            event.milliseconds("OldestWaiting", pressure.oldest_waiting_ms as f64);
            if report.rounds > 0 {
                event.count("DeadLetters", pressure.failed);
            }
        }
        event.count("Drains", 1);
        event.count("Errors", u64::from(failed));
        event.count("JobsCompleted", report.completed.into());
        event.count("JobsFailed", report.failed.into());
        event.count("JobsRetried", report.retried.into());
        let took = self.queue.clock().elapsed().saturating_sub(started);
        event.milliseconds("Latency", took.as_secs_f64() * 1000.0);
        self.metrics.emit(&event);
    }

    async fn drain(
        &self,
        event: &Value,
        deadline: &Deadline,
    ) -> Result<DrainReport, shared::queue::Error> {
        self.clients.discord.freshen().await;
        let source = event.get("source").and_then(Value::as_str);
        let by_drain = source == Some(BY_DRAIN);
        // No queue call may outlive the invocation.
        let redis = self.clients.redis.scoped(Scope {
            deadline: Some(deadline.clone()),
            sync_token: None,
        });
        let queue = self.queue.on(&redis);
        let woken = by_drain || source == Some(BY_ENQUEUE);
        if !woken {
            let store = self.clients.store.on(&redis);
            let look = self.chores.run(&queue, &redis, &store).await?;
            if let Some(share) = look.memory_used {
                self.metrics.note("RedisMemory", Unit::Percent, share);
            }
            if look.is_cheap {
                self.budget.save().await;
            }
            if !look.has_jobs {
                return Ok(DrainReport::default());
            }
        }
        let handler = Arc::new(jobs::Handler::new(self.clients.clone()));
        let mut consumer = Consumer::new(queue, handler);
        if source == Some(BY_ENQUEUE) {
            consumer = consumer.with_last_look_after(INTERVAL);
        }
        if let Some(helpers) = self.helpers.as_ref().filter(|_| !by_drain) {
            consumer = consumer.with_helpers(helpers.clone());
        }
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
}
