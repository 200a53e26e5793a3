//! The routes as callers see them.

use serde_json::json;
use shared::http::{Access, Method};
use shared::openapi::Operation;

use crate::stream::Followed;

/// One for each route.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/api/scans/stream/{scanId}",
            Access::Api,
            "followScan",
            "How a scan stands, and its events since the last look.",
        )
        .query(
            "lastId",
            "The `lastId` of the last look; without it, all events that are kept.",
            json!({ "type": "string", "pattern": "^(0|[0-9]{1,15}-[0-9]{1,15})$" }),
        )
        .reply::<Followed<'_>>(200, "State and events.")
        .problems(&[404]),
    ]
}
