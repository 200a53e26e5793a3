//! The routes as callers see them.

use shared::http::{Access, Method};
use shared::jobs::JobRequest;
use shared::openapi::Operation;

use crate::batch::CreatedJobs;
use crate::scan::{CreateScan, Created};

/// What may be sent.
#[derive(schemars::JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum OneOrMany {
    One(JobRequest),
    Many(#[schemars(length(min = 1, max = 100))] Vec<JobRequest>),
}

/// One for each route.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::POST,
            "/api/jobs/scan",
            Access::Api,
            "scanChannel",
            "Scans a channel for clips.",
        )
        .body::<CreateScan>()
        .reply::<Created>(202, "The scan, or the one that stands for it."),
        Operation::new(
            Method::POST,
            "/api/jobs",
            Access::Api,
            "createJobs",
            "Takes jobs on: one, or a list of up to 100.",
        )
        .body::<OneOrMany>()
        .reply::<CreatedJobs>(202, "Stored."),
    ]
}
