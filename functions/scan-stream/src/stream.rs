//! `GET /api/scans/stream/{scanId}`.
//!
//! One request to Redis with two commands: one reads the job, whose record includes the
//! latest progress, the other the events after `lastId`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Context, Reply, Spec, unknown_job};
use shared::jobs::{ScanEvent, ScanState};
use shared::openapi::Operation;
use shared::progress::{Cursor, EventType, Seen};
use shared::queue::JobId;
use shared::redis::Pipeline;
use shared::scan::complete_clips;

pub const FOLLOW: Spec<Scan, LastLook> =
    Spec::get("/api/scans/stream/{scanId}", "followScan", "Follow a scan");

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scan {
    /// The id of the scan.
    scan_id: JobId,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastLook {
    /// The `lastId` of the reply before. Without it, or with `0`, the events are read from
    /// the first that is still stored.
    last_id: Option<Cursor>,
}

/// The state of a scan, and what happened since the last look.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ScanEvents")]
struct Followed<'a> {
    /// The state of the scan now.
    current_state: ScanState<'a>,
    /// The events after `lastId`, oldest first, at most 100.
    #[schemars(with = "Vec<ScanEvent>")]
    events: Vec<Seen>,
    /// Send it as `lastId` next time.
    last_id: String,
    /// Whether events after `lastId` are gone, so that a display must start over from
    /// `currentState`.
    reset: bool,
}

pub fn operations() -> Vec<Operation> {
    vec![
        FOLLOW
            .operation().describe("Returns the state of a scan and the events that came after `lastId`. Ask again every second or two, each time with the `lastId` of the reply before, until `currentState.status` is `SUCCEEDED`, `FAILED` or `CANCELLED` and no events are left. If `reset` is true, older events are gone: start over from `currentState`.")
            .reply::<Followed<'_>>(200, "The state of the scan and its new events.")
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
    // A cursor newer than every attempt was never issued for this scan.
    if cursor.fence() > job.fence {
        (events.last, events.reset) = (Cursor::START, true);
    }
    let of_clips = |event: &&mut Seen| event.kind == EventType::Clip;
    for event in events.events.iter_mut().filter(of_clips) {
        complete_clips(&mut event.data);
    }
    Ok(Reply::ok(&Followed {
        current_state: ScanState::of(&job),
        last_id: events.last.to_string(),
        events: events.events,
        reset: events.reset,
    }))
}
