//! The queue `clip`, which a drainer serves beside its scans: its jobs look into the clips
//! that scans have found.
//!
//! A scheduled drainer knows from its first command whether there are such jobs. Any drainer
//! runs those that its own scans store. Jobs that another process stored and left behind
//! therefore wait for the schedule, and nobody pays for looking at an empty queue.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use shared::clock::Deadline;
use shared::jobs::ClipProbe;
use shared::queue::{
    ActiveJob, Consumer, DrainReport, EndedJob, Error, JobError, JobHandler, Outcome,
};
use shared::redis::Redis;
use tokio::sync::Notify;

use crate::Clients;
use crate::jobs::probe;

/// Runs the jobs of the queue until the scans are `over` and no job is left.
pub async fn serve(
    clients: &Arc<Clients>,
    redis: &Redis,
    has_jobs: bool,
    over: &Notify,
    deadline: &Deadline,
) -> Result<DrainReport, Error> {
    let handler = Arc::new(Handler(clients.clone()));
    let consumer = Consumer::new(clients.clips.on(redis), handler);
    let (mut report, mut has_jobs) = (DrainReport::default(), has_jobs);
    loop {
        if has_jobs {
            report.add(&consumer.drain(deadline).await?);
        }
        has_jobs = tokio::select! {
            // Jobs first, so that the end of the scans leaves none behind.
            biased;
            () = clients.clip_stored.notified() => is_due(clients, deadline).await,
            () = over.notified() => return Ok(report),
        };
    }
}

/// Waits until the job is due that a scan has stored, so that nobody looks for it before.
/// Returns false if that takes longer than a drainer lingers. The schedule then finds it.
async fn is_due(clients: &Clients, deadline: &Deadline) -> bool {
    let due = clients.clip_due.load(Ordering::Relaxed);
    let wait = u64::try_from(due - clients.clock.now_ms()).unwrap_or(0);
    let wait = Duration::from_millis(wait);
    if wait > clients.clips.config().linger || wait >= deadline.remaining() {
        return false;
    }
    tokio::select! {
        () = clients.clock.sleep(wait) => true,
        () = deadline.brought_forward() => false,
    }
}

struct Handler(Arc<Clients>);

impl JobHandler for Handler {
    fn run(&self, job: ActiveJob) -> BoxFuture<'static, Outcome> {
        if job.kind == ClipProbe::KIND {
            return probe::run(self.0.clone(), job).boxed();
        }
        let message = format!("unknown job kind `{}`", job.kind);
        let reason = JobError::reason("unknown_type", &message);
        async { Outcome::Fail { reason } }.boxed()
    }

    fn ended(&self, job: EndedJob) -> BoxFuture<'static, ()> {
        // Its clips stay marked as waiting, and the guild's next job takes them.
        tracing::warn!(job_id = %job.attempt.id, "clips were not looked into");
        async {}.boxed()
    }
}
