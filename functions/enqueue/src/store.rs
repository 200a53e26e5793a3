//! Enqueues jobs and notes channels that are scanned for the first time, in one request.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::{join, join_all};
use shared::http::{ApiError, Context};
use shared::queue::{Enqueued, NewJob};
use shared::redis::{AutoPipeline, Exchange, Redis};
use shared::scan::Noted;
use shared::telemetry;

use crate::State;
use crate::policy::ScanTarget;

/// Enqueues jobs and wakes a drainer for those that are due. `scans` lists the jobs that
/// are scans, by their index in `jobs`.
///
/// # Errors
/// Those of the queue. If a note fails, that is logged; the channel is then listed once
/// its scan starts.
pub async fn store<P>(
    cx: &Context<State, P>,
    jobs: Vec<NewJob>,
    scans: &BTreeMap<usize, ScanTarget>,
    exchange: Option<&Exchange>,
) -> Result<Vec<Enqueued>, ApiError> {
    let before = cx.state.waker.before_storing();
    let is_due = jobs.iter().any(|job| is_due_soon(cx, job));
    let stored = store_noted(cx, jobs, scans, exchange).await?;
    if is_due {
        cx.state.waker.wake(before).await;
    }
    Ok(stored)
}

/// Whether a drainer woken now would run the job or wait for it.
fn is_due_soon<P>(cx: &Context<State, P>, job: &NewJob) -> bool {
    let now = cx.clock().now_ms();
    let linger = cx.queue().config().linger.as_millis() as i64;
    job.run_at_ms.is_none_or(|at| at <= now + linger)
}

async fn store_noted<P>(
    cx: &Context<State, P>,
    jobs: Vec<NewJob>,
    scans: &BTreeMap<usize, ScanTarget>,
    exchange: Option<&Exchange>,
) -> Result<Vec<Enqueued>, ApiError> {
    if scans.is_empty() {
        return Ok(cx.queue().enqueue_once(jobs, exchange).await?);
    }
    let mut guilds: BTreeMap<&str, Vec<Noted>> = BTreeMap::new();
    for (n, scan) in scans {
        let noted = Noted {
            channel_id: scan.channel_id.clone(),
            job_id: Some(jobs[*n].id.to_string()),
            name: None,
            parent_id: None,
        };
        guilds.entry(&scan.guild_id).or_default().push(noted);
    }
    let together: Redis = Arc::new(AutoPipeline::new(cx.redis().clone()));
    let (queue, records) = (cx.queue().on(&together), cx.store().on(&together));
    let now = cx.clock().now_ms();
    let notes = guilds
        .iter()
        .map(|(guild, scans)| records.note(guild, scans, now));
    let (enqueued, noted) = join(queue.enqueue_once(jobs, exchange), join_all(notes)).await;
    for error in noted.iter().filter_map(|noted| noted.as_ref().err()) {
        let error = telemetry::chain(error);
        tracing::warn!(
            error,
            "a channel could not be noted; it is listed once its scan starts"
        );
    }
    Ok(enqueued?)
}
