//! `GET /api/scans/current`: active jobs, then waiting jobs, then delayed jobs, up to 100
//! of each, read in one request.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use shared::http::{ApiError, Context, Reply, Spec};
use shared::jobs::{JobKind, ScanState};
use shared::openapi::Operation;
use shared::queue::{Job, JobState};
use shared::redis::{AutoPipeline, Redis};

pub const LIST: Spec = Spec::get(
    "/api/scans/current",
    "listCurrentScans",
    "List the current scans",
);

/// Maximum number of scans per state.
const MOST: u64 = 100;

/// Scans that have not finished.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ScanList")]
struct Scans<'a> {
    /// The scans, in the order in which they run.
    scans: Vec<ScanState<'a>>,
}

pub fn operations() -> Vec<Operation> {
    let scans = "The unfinished scans.";
    vec![LIST.operation().describe("Lists the scans that have not finished: first those that run, then those that wait for their turn, then those that wait for their time. At most 100 of each.").reply::<Scans<'_>>(200, scans)]
}

pub async fn list(cx: Context<()>) -> Result<Reply, ApiError> {
    let together: Redis = Arc::new(AutoPipeline::new(cx.redis().clone()));
    let queue = cx.queue().on(&together);
    let (active, waiting, delayed) = futures_util::try_join!(
        queue.list(Some(JobState::Active), None, MOST),
        queue.list(Some(JobState::Waiting), None, MOST),
        queue.list(Some(JobState::Delayed), None, MOST),
    )?;
    let jobs: Vec<&Job> = [&active.0, &waiting.0, &delayed.0]
        .into_iter()
        .flatten()
        .filter(|job| JobKind::finds_clips(&job.kind))
        .collect();
    Ok(Reply::ok(&Scans {
        scans: jobs.into_iter().map(ScanState::of).collect(),
    }))
}
