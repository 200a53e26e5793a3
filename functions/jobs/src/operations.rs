//! The routes as callers see them.

use serde_json::json;
use shared::http::{Access, Method};
use shared::openapi::Operation;
use shared::queue::{Job, JobState};

use crate::change::Changed;
use crate::read::Page;

/// One for each route.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/api/jobs/{jobId}",
            Access::Api,
            "getJob",
            "A job.",
        )
        .reply::<Job>(200, "The job.")
        .problems(&[404]),
        Operation::new(
            Method::GET,
            "/api/jobs",
            Access::Api,
            "listJobs",
            "Lists the jobs in one state, or in every state: unfinished jobs in the order in which they will run, finished jobs newest first.",
        )
        .query(
            "state",
            "Only jobs in this state. Without it, jobs in every state: active, waiting, delayed, cancelled, failed, completed.",
            json!({ "type": "string", "enum": JobState::ALL.map(JobState::as_str) }),
        )
        .paged(20, 100)
        .reply::<Page>(200, "A page."),
        Operation::new(
            Method::DELETE,
            "/api/jobs/{jobId}",
            Access::Api,
            "cancelJob",
            "Cancels a job that waits or runs, or removes a finished one.",
        )
        .query(
            "purge",
            "`true` removes a finished job.",
            json!({ "type": "string", "enum": ["true", "false"] }),
        )
        .reply::<Changed>(202, "It is, or will be.")
        .problems(&[404, 409]),
        Operation::new(
            Method::POST,
            "/api/jobs/{jobId}/retry",
            Access::Api,
            "retryJob",
            "Lets a failed or cancelled job run again.",
        )
        .reply::<Changed>(202, "It waits.")
        .problems(&[404, 409]),
    ]
}
