//! Runs the jobs. The schedule starts it every minute, and `enqueue` starts it when no
//! drainer is running.

mod chores;
mod clients;
mod clips;
mod jobs;
mod schedules;
mod serve;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use serde::Serialize;
use serde_json::Value;
use shared::clock::Deadline;
use shared::metrics::{CommandBudget, Metrics, Unit};
use shared::panics::{Panicked, caught};
use shared::queue::{CLIP, Consumer, DrainReport, Pressure, Queue, SCAN};
use shared::redis::Scope;
use shared::start::{Start, StartError};
use shared::telemetry;
use shared::waker::{BY_DRAIN, BY_ENQUEUE, INTERVAL, Wake};
use tokio::sync::Notify;

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
    let config = settings.drain()?;
    let chores = Chores::new(&config, start.clock())?;
    let helpers = start.wake(BY_DRAIN);
    let helpers = helpers.map(|wake| -> Arc<dyn Wake> { Arc::new(wake) });
    let (prefix, discord) = (start.key_prefix(), settings.discord()?);
    let clips = start.queue_without_admission(CLIP)?;
    let hosts = config.webhook_hosts;
    let clients = Clients::new(queue.clone(), clips, redis, prefix, &discord, hosts)?;
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

/// What an invocation did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drained {
    /// The jobs of the queue `scan`.
    #[serde(flatten)]
    pub scans: DrainReport,
    /// The jobs of the queue `clip`.
    #[serde(rename = "clip")]
    pub clips: DrainReport,
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
    /// The queues that it serves.
    pub fn queues(&self) -> [&Queue; 2] {
        [&self.queue, &self.clients.clips]
    }

    /// Drains the queue until it is empty or `deadline_ms` is near. Any event starts a
    /// drain. An event that is not a wake-up, such as the schedule's, first runs the
    /// chores and checks for work with one command.
    ///
    /// # Errors
    /// If Redis stays unavailable.
    pub async fn handle(&self, event: Value, deadline_ms: u64) -> Result<Drained, DrainError> {
        let budget = self.queue.config().budget;
        let deadline = Deadline::of_invocation(self.queue.clock(), deadline_ms, budget);
        self.run(&event, &deadline).await
    }

    /// Like [`Drain::handle`], but the caller may bring the deadline forward.
    ///
    /// # Errors
    /// If Redis stays unavailable.
    pub async fn run(&self, event: &Value, deadline: &Deadline) -> Result<Drained, DrainError> {
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
        if report.scans.rounds + report.clips.rounds > 0 {
            self.budget.save().await;
        }
        outcome
    }

    async fn measure(&self, drained: &Drained, failed: bool, started: Duration) {
        if !self.metrics.is_on() {
            return;
        }
        let report = &drained.scans;
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
        let sum = |count: fn(&DrainReport) -> u32| {
            u64::from(count(&drained.scans)) + u64::from(count(&drained.clips))
        };
        event.count("JobsCompleted", sum(|report| report.completed));
        event.count("JobsFailed", sum(|report| report.failed));
        event.count("JobsRetried", sum(|report| report.retried));
        let took = self.queue.clock().elapsed().saturating_sub(started);
        event.milliseconds("Latency", took.as_secs_f64() * 1000.0);
        self.metrics.emit(&event);
    }

    async fn drain(
        &self,
        event: &Value,
        deadline: &Deadline,
    ) -> Result<Drained, shared::queue::Error> {
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
        let (mut has_jobs, mut has_clips) = (true, false);
        if !woken {
            let clips = self.clients.clips.on(&redis);
            let look = self
                .chores
                .run(&queue, &clips, &redis, &self.clients)
                .await?;
            if let Some(share) = look.memory_used {
                self.metrics.note("RedisMemory", Unit::Percent, share);
            }
            if look.is_cheap {
                self.budget.save().await;
            }
            (has_jobs, has_clips) = (look.has_jobs, look.has_clips);
        }
        if !has_jobs && !has_clips {
            return Ok(Drained::default());
        }
        let over = Notify::new();
        let scans = async {
            let drained = match has_jobs {
                true => self.drain_scans(queue, source, deadline).await,
                false => Ok(DrainReport::default()),
            };
            over.notify_one();
            drained
        };
        let clips = clips::serve(&self.clients, &redis, has_clips, &over, deadline);
        let (scans, clips) = join(scans, clips).await;
        let (scans, clips) = (scans?, clips?);
        for (queue, report) in [(SCAN, &scans), (CLIP, &clips)] {
            if report.rounds > 0 {
                log(queue, report);
            }
        }
        Ok(Drained { scans, clips })
    }

    async fn drain_scans(
        &self,
        queue: Queue,
        source: Option<&str>,
        deadline: &Deadline,
    ) -> Result<DrainReport, shared::queue::Error> {
        let handler = Arc::new(jobs::Handler::new(self.clients.clone()));
        let mut consumer = Consumer::new(queue, handler);
        if source == Some(BY_ENQUEUE) {
            consumer = consumer.with_last_look_after(INTERVAL);
        }
        if let Some(helpers) = self.helpers.as_ref().filter(|_| source != Some(BY_DRAIN)) {
            consumer = consumer.with_helpers(helpers.clone());
        }
        consumer.drain(deadline).await
    }
}

fn log(queue: &str, report: &DrainReport) {
    tracing::info!(
        queue,
        claimed = report.claimed,
        completed = report.completed,
        failed = report.failed,
        retried = report.retried,
        snoozed = report.snoozed,
        rounds = report.rounds,
        "drained"
    );
}
