//! The routes as callers see them.

use crate::redis::Health;
use shared::http::{Access, Method};
use shared::openapi::Operation;

/// One for each route.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/api/health/redis",
            Access::Open,
            "redisHealth",
            "Whether the database answers.",
        )
        .reply::<Health>(200, "It does.")
        .reply::<Health>(503, "It does not."),
    ]
}
