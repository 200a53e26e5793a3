//! `GET /api/scans/stream/{scanId}`.
//!
//! One request to Redis with two commands: the job, whose record also holds the
//! newest progress, and the events after `lastId`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Context, Reply, Spec, unknown_job};
use shared::jobs::{ScanEvent, ScanState};
use shared::openapi::Operation;
use shared::progress::{Cursor, Seen};
use shared::queue::JobId;
use shared::redis::Pipeline;

pub const FOLLOW: Spec<Scan, LastLook> = Spec::get(
    "/api/scans/stream/{scanId}",
    "followScan",
    "The state of a scan, and its events since the last look.",
);

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scan {
    scan_id: JobId,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastLook {
    /// The `lastId` of the last reply. Without it, all events that are still stored.
    last_id: Option<Cursor>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ScanEvents")]
struct Followed<'a> {
    current_state: ScanState<'a>,
    /// After `lastId`, oldest first.
    #[schemars(with = "Vec<ScanEvent>")]
    events: Vec<Seen>,
    /// To be sent next time.
    last_id: String,
    /// Whether events after `lastId` are gone: draw anew from `currentState`.
    reset: bool,
}

pub fn operations() -> Vec<Operation> {
    vec![
        FOLLOW
            .operation()
            .reply::<Followed<'_>>(200, "State and events.")
            .problems(&[404]),
    ]
}

pub async fn follow(cx: Context<(), Scan, LastLook>) -> Result<Reply, ApiError> {
    let (id, queue, progress) = (&cx.path.scan_id, cx.queue(), cx.progress());
    let cursor = cx.query.last_id.clone().unwrap_or(Cursor::START);
    let mut pipeline = Pipeline::new();
    let job = queue.add_job(&mut pipeline, id);
    let events = progress.add_events(&mut pipeline, id.as_str(), &cursor);
    let mut replies = pipeline.send(&**cx.redis()).await?;
    let Some(job) = queue.read_job(&mut replies, job, id)? else {
        return Err(unknown_job(&cx, id, "scan"));
    };
    let mut events = progress.read_events(&mut replies, events, &cursor)?;
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
