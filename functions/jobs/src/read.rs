//! `GET /api/jobs/{jobId}` and `GET /api/jobs`.

use std::sync::Arc;

use serde::Serialize;
use shared::http::{ApiError, Reply, Request, absent};
use shared::queue::{Cursor, Job, JobId, JobState};
use shared::redis::Redis;

use crate::State;

/// Jobs of a page unless told otherwise, and at most.
const PAGE: u64 = 20;
const LARGEST_PAGE: u64 = 100;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Page {
    jobs: Vec<Job>,
    cursor: Option<String>,
}

pub async fn one(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let id = job_id(&request)?;
    match state.queue.on(&redis).job(&id).await? {
        Some(job) => Ok(Reply::ok(&job)),
        None => Err(absent(&request, &id, state.queue.clock(), "job")),
    }
}

pub async fn list(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let states = JobState::ALL.map(JobState::as_str).join(", ");
    let wanted = request.query_as("state", &format!("one of {states}"), JobState::parse)?;
    let cursor = request.cursor(Cursor::parse)?;
    let limit = request.query_number("limit", LARGEST_PAGE)?.unwrap_or(PAGE);
    let (jobs, next) = state.queue.on(&redis).list(wanted, cursor, limit).await?;
    Ok(Reply::ok(&Page {
        jobs,
        cursor: next.map(|next| request.next_cursor(&next)),
    }))
}

/// The job a path names; checked before Redis is asked.
pub(crate) fn job_id(request: &Request) -> Result<JobId, ApiError> {
    JobId::parse(request.path_parameter("jobId"))
        .ok_or_else(|| ApiError::bad_request("jobId: expected the id of a job"))
}

pub(crate) fn unknown() -> ApiError {
    ApiError::not_found("there is no such job, or it was forgotten after its time")
}
