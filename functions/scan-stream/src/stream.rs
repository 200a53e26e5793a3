//! `GET /api/scans/stream/{scanId}`.
//!
//! One request to Redis with two commands: the job, whose record also holds the
//! newest progress, and the events after `lastId`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Reply, Request, absent};
use shared::progress::Cursor;
use shared::queue::{Job, JobId, JobState};
use shared::redis::{Pipeline, Redis};
use shared::scan::{ScanProgress, ScanStatus};

use crate::State;

/// How a scan stands.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CurrentState<'a> {
    scan_id: &'a JobId,
    job_id: &'a JobId,
    guild_id: Option<String>,
    channel_id: Option<String>,
    status: ScanStatus,
    progress: Amount,
    clips_found: u64,
    /// Why it failed.
    error: Option<&'a str>,
    updated_at: i64,
}

/// How much is done. `total` is null where nothing bounds the scan; `percent` goes by
/// the time the messages span.
#[derive(Serialize)]
struct Amount {
    current: u64,
    total: Option<u64>,
    percent: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    guild_id: Option<String>,
    channel_id: Option<String>,
}

pub async fn read(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let id = JobId::parse(request.path_parameter("scanId"))
        .ok_or_else(|| ApiError::bad_request("scanId: expected the id of a scan"))?;
    let cursor = request.query("lastId").unwrap_or_else(|| "0".to_owned());
    let cursor =
        Cursor::parse(&cursor).map_err(|error| ApiError::bad_request(error.to_string()))?;

    let mut pipeline = Pipeline::new();
    let job = state.queue.add_job(&mut pipeline, &id);
    let events = state
        .progress
        .add_events(&mut pipeline, id.as_str(), &cursor);
    let mut replies = pipeline.send(&*redis).await?;
    let Some(job) = state.queue.read_job(&mut replies, job, &id)? else {
        return Err(absent(&request, &id, state.queue.clock(), "scan"));
    };
    let mut events = state.progress.read_events(&mut replies, events, &cursor)?;
    // A cursor beyond every attempt was never given for this scan.
    if cursor.fence() > job.fence {
        (events.last, events.reset) = (Cursor::START, true);
    }
    Ok(Reply::ok(&serde_json::json!({
        "currentState": current(&job),
        "events": events.events,
        "lastId": events.last.to_string(),
        "reset": events.reset,
    })))
}

fn current(job: &Job) -> CurrentState<'_> {
    let place: Option<Place> = serde_json::from_str(job.data.get()).ok();
    let (guild_id, channel_id) = place.map_or((None, None), |p| (p.guild_id, p.channel_id));
    let told = job.progress.clone();
    let told: ScanProgress = told
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_default();
    let status = match job.state {
        JobState::Waiting | JobState::Delayed => ScanStatus::Pending,
        JobState::Active => ScanStatus::Running,
        JobState::Completed => ScanStatus::Succeeded,
        JobState::Failed => ScanStatus::Failed,
        JobState::Cancelled => ScanStatus::Cancelled,
    };
    let times = [
        Some(told.updated_at),
        job.finished_at,
        job.started_at,
        Some(job.created_at),
    ];
    CurrentState {
        scan_id: &job.id,
        job_id: &job.id,
        guild_id,
        channel_id,
        status,
        progress: Amount {
            current: told.current,
            total: told.total,
            percent: if job.state == JobState::Completed {
                100.0
            } else {
                told.percent
            },
        },
        clips_found: told.clips_found,
        error: job.failed_reason.as_deref(),
        updated_at: times.into_iter().flatten().max().unwrap_or_default(),
    }
}
