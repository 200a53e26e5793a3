//! The job kind `guild`: it lists the channels and threads of a guild, stores a scan of each
//! that can be read, and follows these scans until all have ended.
//!
//! | file | contents |
//! |---|---|
//! | `mod` | the run: from phase to phase, and how it stops |
//! | `choice` | which channels are scanned, and why others are not; without I/O |
//! | `news` | in which channels a scheduled scan would find something |
//! | `listing` | asks Discord for channels and threads |
//! | `storing` | stores the scans |
//! | `following` | how the scans stand, and the end |
//!
//! Running a job twice is harmless. Its plan is stored before its jobs, whose ids are
//! derived from it, so a scan that was stored is not stored again. Between two looks at its
//! scans the job is snoozed, and no drainer waits for it.

mod choice;
mod following;
mod listing;
pub mod news;
mod storing;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shared::jobs::GuildScan;
use shared::queue::{self, ActiveJob, EndedJob, JobError, Outcome};
use shared::redis::Pipeline;
use shared::scan::{Phase, Plan, ScanStatus};
use shared::telemetry;

use super::arguments;
use super::reporter::{Reporter, failure};
use super::stop::{OutageWait, StopReason, UNREACHABLE};
use crate::Clients;

/// How long the job waits if the queue has no room for its scans.
const NO_ROOM: Duration = Duration::from_secs(30);

pub async fn run(clients: Arc<Clients>, job: ActiveJob) -> Outcome {
    let scan: GuildScan = match arguments(&job) {
        Ok(scan) => scan,
        Err(outcome) => return outcome,
    };
    let mut run = Run {
        reporter: Reporter::new(job.attempt.clone()),
        waiting: OutageWait::of(&job),
        plan: Plan::default(),
        clients,
        scan,
        job,
    };
    match run.phases().await {
        Ok(outcome) => outcome,
        Err(stop) => run.give_up(stop).await,
    }
}

/// Reports a job that ended without its handler.
pub async fn ended(clients: Arc<Clients>, job: EndedJob) {
    let status = match job.cancelled {
        true => ScanStatus::Cancelled,
        false => ScanStatus::Failed,
    };
    let mut reporter = Reporter::after(job.attempt.clone());
    reporter.add_status(&clients, status, failure(&job.reason));
    send(&clients, &mut reporter, job.attempt.id.as_str()).await;
}

/// One attempt at a guild scan.
struct Run {
    clients: Arc<Clients>,
    scan: GuildScan,
    job: ActiveJob,
    plan: Plan,
    reporter: Reporter,
    waiting: OutageWait,
}

impl Run {
    fn id(&self) -> &str {
        self.job.attempt.id.as_str()
    }

    async fn phases(&mut self) -> Result<Outcome, StopReason> {
        match self.clients.store.plan(self.id()).await? {
            Some(plan) => self.plan = plan,
            None => {
                self.list_channels().await?;
                self.reporter
                    .add_status(&self.clients, ScanStatus::Running, json!({}));
            }
        }
        loop {
            match self.plan.head.phase {
                Phase::Listing => self.list_threads().await?,
                Phase::Storing => self.store_scans().await?,
                Phase::Following => return self.follow().await,
                // The job was retried, or its scans were cancelled while it was retried.
                Phase::Ended => self.begin_again().await?,
            }
        }
    }

    /// Stores the head of the plan and these channels.
    async fn save(&self, changed: &[String], is_new: bool) -> Result<(), StopReason> {
        let (store, id) = (&self.clients.store, self.id());
        store.save_plan(id, &self.plan, changed, is_new).await?;
        Ok(())
    }

    /// Reports why the run stops.
    async fn give_up(&mut self, stop: StopReason) -> Outcome {
        let now = self.clients.clock.now_ms();
        let is_outage = matches!(stop, StopReason::Unreachable(_));
        let stop = match stop {
            StopReason::Unreachable(outage) => self.waiting.next(now, outage, true),
            other => other,
        };
        self.waiting.note(&stop);
        self.waiting.remember(&self.job);
        let is_last = self.job.is_last_attempt();
        let (status, detail) = match &stop {
            StopReason::Superseded | StopReason::Busy(_) | StopReason::Unreachable(_) => {
                return stop.outcome();
            }
            StopReason::Later(wait) => {
                let mut detail = match is_outage {
                    true => failure(&JobError::reason(UNREACHABLE, "Discord cannot be reached")),
                    false => failure(&JobError::reason(
                        "discord_limited",
                        "Discord asked for a wait",
                    )),
                };
                if wait.is_zero() {
                    detail = json!({});
                }
                if !wait.is_zero() {
                    detail["runAt"] = (now + wait.as_millis() as i64).into();
                }
                (ScanStatus::Pending, detail)
            }
            StopReason::Retry(reason) if !is_last => (ScanStatus::Pending, failure(reason)),
            StopReason::Retry(reason) | StopReason::Fail(reason) => {
                (ScanStatus::Failed, failure(reason))
            }
            StopReason::Unwanted(reason) => (ScanStatus::Cancelled, failure(reason)),
            StopReason::Cancelled => (ScanStatus::Cancelled, json!({})),
        };
        self.reporter.add_status(&self.clients, status, detail);
        self.send().await;
        stop.outcome()
    }

    /// Sends the events that were added.
    async fn send(&mut self) {
        let (clients, id) = (self.clients.clone(), self.job.attempt.id.clone());
        send(&clients, &mut self.reporter, id.as_str()).await;
    }
}

/// Sends events. A failure is only logged: the state of the job says the same.
async fn send(clients: &Clients, reporter: &mut Reporter, job_id: &str) {
    let mut pipeline = Pipeline::new();
    reporter.add_to(clients, &mut pipeline);
    if pipeline.is_empty() {
        return;
    }
    if let Err(error) = pipeline.send(&*clients.redis).await {
        let error = telemetry::chain(&error);
        tracing::warn!(
            job_id,
            error,
            "the events of a guild scan could not be sent"
        );
    }
}

/// What a refusal of the queue means for the job.
fn of_queue(error: queue::Error) -> StopReason {
    match error {
        queue::Error::Full => StopReason::Busy(NO_ROOM),
        error => {
            let text = telemetry::chain(&error);
            tracing::warn!(error = text, "a guild scan could not use the queue");
            let message = "a database request failed";
            StopReason::Retry(JobError::reason("database_unavailable", message))
        }
    }
}
