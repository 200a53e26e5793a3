//! `GET /api/scans/current`: the jobs that run, then those that wait, then those that
//! wait for their time; 100 of each at most, read in one request.

use std::sync::Arc;

use serde::Serialize;
use shared::http::{ApiError, Reply, Request};
use shared::jobs::ScanState;
use shared::queue::{Job, JobState};
use shared::redis::{AutoPipeline, Redis};

use crate::State;

/// Scans shown of each state.
const MOST: u64 = 100;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Scans<'a> {
    scans: Vec<ScanState<'a>>,
}

pub async fn list(state: Arc<State>, redis: Redis, _: Request) -> Result<Reply, ApiError> {
    let together: Redis = Arc::new(AutoPipeline::new(redis));
    let queue = state.queue.on(&together);
    let (active, waiting, delayed) = futures_util::try_join!(
        queue.list(Some(JobState::Active), None, MOST),
        queue.list(Some(JobState::Waiting), None, MOST),
        queue.list(Some(JobState::Delayed), None, MOST),
    )?;
    let jobs: Vec<&Job> = [&active.0, &waiting.0, &delayed.0]
        .into_iter()
        .flatten()
        .collect();
    Ok(Reply::ok(&Scans {
        scans: jobs.into_iter().map(ScanState::of).collect(),
    }))
}
