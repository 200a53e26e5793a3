//! `GET /api/scans/stream/{scanId}`.
//!
//! One request to Redis with two commands: the job, whose record also holds the
//! newest progress, and the events after `lastId`.

use std::sync::Arc;

use serde::Serialize;
use shared::http::{ApiError, Reply, Request, absent};
use shared::jobs::ScanState;
use shared::progress::{Cursor, Seen};
use shared::queue::JobId;
use shared::redis::{Pipeline, Redis};

use crate::State;

#[derive(Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Followed<'a> {
    current_state: ScanState<'a>,
    /// After `lastId`, oldest first.
    events: Vec<Seen>,
    /// To be sent next time.
    last_id: String,
    /// Whether events after `lastId` are gone: draw anew from `currentState`.
    reset: bool,
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
    Ok(Reply::ok(&Followed {
        current_state: ScanState::of(&job),
        last_id: events.last.to_string(),
        events: events.events,
        reset: events.reset,
    }))
}
