//! `DELETE /api/jobs/{jobId}` and `POST /api/jobs/{jobId}/retry`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{ApiError, Context, ErrorCode, Reply, Spec};
use shared::jobs::{CancelScans, GuildScan};
use shared::openapi::Operation;
use shared::queue::{Cancelled, JobId, JobState, Purged, Redriven};

use crate::read::OneJob;

pub const CANCEL: Spec<OneJob, Purge> =
    Spec::delete("/api/jobs/{jobId}", "cancelJob", "Cancel or remove a job");

pub const RETRY: Spec<OneJob> = Spec::post("/api/jobs/{jobId}/retry", "retryJob", "Retry a job");

#[derive(Deserialize, JsonSchema)]
pub struct Purge {
    /// Whether to remove a finished job instead of cancelling an unfinished one.
    #[serde(default)]
    purge: bool,
}

/// What became of a job.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ChangedJob")]
struct Changed {
    /// The job's state after the change. `null` if it was removed.
    state: Option<JobState>,
    /// Whether the job was removed.
    purged: bool,
}

impl Changed {
    const PURGED: Changed = Changed {
        state: None,
        purged: true,
    };

    fn to(state: JobState) -> Changed {
        Changed {
            state: Some(state),
            purged: false,
        }
    }
}

pub fn operations() -> Vec<Operation> {
    vec![
        CANCEL
            .operation().describe("Cancels a job that has not finished. A waiting or delayed job is cancelled at once. A running job stops within seconds; until then its state is `active`. With a guild scan, the scans of its channels are cancelled too, within a minute, except those that were there before it. With `purge=true` the request removes a finished job and its events instead.")
            .reply::<Changed>(
                202,
                "The job is cancelled, or removed, or will stop within seconds.",
            )
            .problems(&[404, 409]),
        RETRY
            .operation().describe("Puts a failed or cancelled job back into its queue. Its attempts are counted anew. With a guild scan, the scans that failed or were cancelled are run again.")
            .reply::<Changed>(202, "The job is waiting to run again.")
            .problems(&[404, 409]),
    ]
}

pub async fn cancel(cx: Context<(), OneJob, Purge>) -> Result<Reply, ApiError> {
    let (id, queue) = (&cx.path.job_id, cx.queue());
    if cx.query.purge {
        return match queue.purge(id).await? {
            Purged::Done => {
                cx.progress().forget(cx.redis(), id.as_str()).await?;
                Ok(Reply::accepted(&Changed::PURGED))
            }
            Purged::Unfinished => Err(ApiError::new(
                ErrorCode::JobUnfinished,
                "the job has not finished: cancel it first",
            )),
            Purged::Unknown => Err(unknown()),
        };
    }
    let (cancelled, kind) = queue.cancel_with_kind(id).await?;
    let is_stopped = matches!(cancelled, Cancelled::Done | Cancelled::Requested);
    if is_stopped && kind.as_deref() == Some(GuildScan::KIND) {
        // If this fails, the request is made again, and the answer above stays the same.
        let scans = CancelScans {
            cancelled_scan_id: id.clone(),
        };
        queue
            .enqueue(scans.into_job(JobId::new(cx.clock()))?)
            .await?;
    }
    match cancelled {
        Cancelled::Done => Ok(Reply::accepted(&Changed::to(JobState::Cancelled))),
        // It stops at its next heartbeat; until then it is active.
        Cancelled::Requested => Ok(Reply::accepted(&Changed::to(JobState::Active))),
        Cancelled::Finished(state) => Err(ApiError::new(
            ErrorCode::JobFinished,
            format!("the job is {} already", state.as_str()),
        )),
        Cancelled::Unknown => Err(unknown()),
    }
}

pub async fn retry(cx: Context<(), OneJob>) -> Result<Reply, ApiError> {
    let done = Reply::accepted(&Changed::to(JobState::Waiting));
    let exchange = cx.store_with_work(&done);
    let (id, queue) = (&cx.path.job_id, cx.queue());
    match queue.redrive_once(id, exchange.as_ref()).await? {
        Redriven::Done => Ok(done),
        Redriven::NotFailed(state) => {
            let detail = format!(
                "only a failed or cancelled job can be retried; this one is {}",
                state.as_str()
            );
            Err(ApiError::new(ErrorCode::JobNotFailed, detail))
        }
        Redriven::UniqueTaken => Err(ApiError::new(
            ErrorCode::JobDuplicate,
            "another scan of the same channel in the same mode has not finished",
        )),
        Redriven::Unknown => Err(unknown()),
    }
}

fn unknown() -> ApiError {
    let detail = "the job does not exist, or it has been deleted by retention";
    ApiError::new(ErrorCode::JobNotFound, detail)
}
