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
    let wanted = request
        .query("state")
        .unwrap_or_else(|| "waiting".to_owned());
    let wanted = JobState::parse(&wanted).ok_or_else(|| {
        let states = JobState::ALL.map(JobState::as_str).join(", ");
        ApiError::bad_request(format!("state: expected one of {states}"))
    })?;
    let cursor = match request.query("cursor").filter(|text| !text.is_empty()) {
        Some(text) => Some(Cursor::parse(&text).ok_or_else(|| {
            ApiError::bad_request("cursor: expected the cursor of an earlier reply")
        })?),
        None => None,
    };
    let limit = match request.query("limit") {
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
            .ok_or_else(|| ApiError::bad_request("limit: expected a whole number from 1 to 100"))?,
        None => PAGE,
    };
    let (jobs, next) = state.queue.on(&redis).list(wanted, cursor, limit).await?;
    Ok(Reply::ok(&Page {
        jobs,
        cursor: next.map(|cursor| cursor.to_string()),
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
