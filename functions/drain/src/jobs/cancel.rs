//! The job kind `cancel`: it cancels the scans that a cancelled guild scan has stored.
//! Scans that were there before the guild scan stay.
//!
//! Running it twice is harmless: a scan that is cancelled stays cancelled. If the guild scan
//! was retried in the meantime, there is nothing to cancel.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use shared::jobs::CancelScans;
use shared::queue::{ActiveJob, Cancelled, JobError, JobId, JobState, Outcome};
use shared::redis::{AutoPipeline, Redis};
use shared::scan::Phase;
use shared::telemetry;

use super::arguments;
use crate::Clients;

/// How long it waits for the guild scan itself to stop.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How many scans are cancelled in one request.
const AT_ONCE: usize = 50;

pub async fn run(clients: Arc<Clients>, job: ActiveJob) -> Outcome {
    let cancel: CancelScans = match arguments(&job) {
        Ok(cancel) => cancel,
        Err(outcome) => return outcome,
    };
    match stop_scans(&clients, &cancel.cancelled_scan_id).await {
        Ok(outcome) => outcome,
        Err(error) => {
            let error = telemetry::chain(&error);
            tracing::warn!(error, "the scans of a guild could not be cancelled");
            let message = "a database request failed";
            Outcome::Retry {
                reason: JobError::reason("database_unavailable", message),
                after: None,
            }
        }
    }
}

async fn stop_scans(clients: &Clients, scan_id: &JobId) -> Result<Outcome, shared::queue::Error> {
    let nothing = Outcome::Done(json!({ "scansCancelled": 0 }));
    let state = clients.queue.jobs(std::slice::from_ref(scan_id)).await?;
    match state.first().map(|job| job.state) {
        Some(JobState::Cancelled) | None => {}
        // It was asked to stop, and still runs.
        Some(JobState::Active) => return Ok(Outcome::Snooze { after: LOOK_AGAIN }),
        Some(_) => return Ok(nothing),
    }
    let Some(mut plan) = clients.store.plan(scan_id.as_str()).await? else {
        return Ok(nothing);
    };
    let own = plan.channels.values();
    let own = own.filter(|planned| planned.is_unfinished() && !planned.shared);
    let ids: Vec<JobId> = own
        .filter_map(|planned| JobId::parse(planned.job.as_deref()?))
        .collect();
    let mut n_cancelled = 0;
    for part in ids.chunks(AT_ONCE) {
        let together: Redis = Arc::new(AutoPipeline::new(clients.redis.clone()));
        let queue = clients.queue.on(&together);
        for cancelled in join_all(part.iter().map(|id| queue.cancel(id))).await {
            let is_stopped = matches!(cancelled?, Cancelled::Done | Cancelled::Requested);
            n_cancelled += u64::from(is_stopped);
        }
    }
    plan.head.phase = Phase::Ended;
    let none: [String; 0] = [];
    let store = &clients.store;
    store
        .save_plan(scan_id.as_str(), &plan, &none, false)
        .await?;
    Ok(Outcome::Done(json!({ "scansCancelled": n_cancelled })))
}
