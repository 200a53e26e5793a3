//! `DELETE /api/jobs/{jobId}` and `POST /api/jobs/{jobId}/retry`.

use std::sync::Arc;

use serde::Serialize;
use shared::http::{ApiError, Reply, Request};
use shared::queue::{Cancelled, JobState, Purged, Redriven};
use shared::redis::Redis;

use crate::State;
use crate::read::{job_id, unknown};

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Changed {
    /// The job's state now, or `purged`.
    state: &'static str,
}

impl Changed {
    fn to(state: &'static str) -> Changed {
        Changed { state }
    }
}

pub async fn cancel(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let id = job_id(&request)?;
    let queue = state.queue.on(&redis);
    if request.query_flag("purge")? {
        return match queue.purge(&id).await? {
            Purged::Done => {
                state.progress.forget(&redis, id.as_str()).await?;
                Ok(Reply::accepted(&Changed::to("purged")))
            }
            Purged::Unfinished => Err(ApiError::conflict(
                "the job is not finished: cancel it first",
            )),
            Purged::Unknown => Err(unknown()),
        };
    }
    match queue.cancel(&id).await? {
        Cancelled::Done => Ok(Reply::accepted(&Changed::to(JobState::Cancelled.as_str()))),
        // It stops at its next heartbeat; until then it is active.
        Cancelled::Requested => Ok(Reply::accepted(&Changed::to(JobState::Active.as_str()))),
        Cancelled::Finished(state) => Err(ApiError::conflict(format!(
            "the job is {} already",
            state.as_str()
        ))),
        Cancelled::Unknown => Err(unknown()),
    }
}

pub async fn retry(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let id = job_id(&request)?;
    let done = Reply::accepted(&Changed::to(JobState::Waiting.as_str()));
    let exchange = request.foresee(&done);
    let queue = state.queue.on(&redis);
    match queue.redrive_once(&id, exchange.as_ref()).await? {
        Redriven::Done => Ok(done),
        Redriven::NotFailed(state) => {
            let detail = format!(
                "only a failed or cancelled job is retried; this one is {}",
                state.as_str()
            );
            Err(ApiError::conflict(detail))
        }
        Redriven::UniqueTaken => Err(ApiError::conflict(
            "another job of the same channel and mode is unfinished",
        )),
        Redriven::Unknown => Err(unknown()),
    }
}
