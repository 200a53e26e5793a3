//! `POST /api/jobs`: jobs by their type, one or a list.

use std::sync::Arc;

use serde::Serialize;
use shared::http::{Action, ApiError, Reply, Request};
use shared::jobs::{JobRequest, MessageScan};
use shared::queue::JobId;
use shared::redis::Redis;

use crate::State;
use crate::scan::Created;

/// The most jobs of one request.
const MOST: usize = 100;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct CreatedJobs {
    jobs: Vec<Created>,
}

pub async fn create(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let inputs: Vec<JobRequest> = request.json_one_or_many(MOST)?;
    let many = inputs.len() > 1;
    let mut jobs = Vec::with_capacity(inputs.len());
    for (place, input) in inputs.into_iter().enumerate() {
        let id = JobId::new(state.queue.clock());
        let mut job = input.into_job(id).map_err(|reason| {
            let place = if many {
                format!("[{place}].")
            } else {
                String::new()
            };
            ApiError::bad_request(format!("{place}{reason}"))
        })?;
        job.traceparent = request.traceparent().map(str::to_owned);
        jobs.push(job);
    }
    if jobs.iter().any(|job| job.kind == MessageScan::KIND) {
        request.limit_as(Action::Message);
    }
    let enqueued = state.queue.on(&redis).enqueue_many(jobs).await?;
    state.waker.wake().await;
    Ok(Reply::accepted(&CreatedJobs {
        jobs: enqueued.iter().map(Created::from).collect(),
    }))
}
