//! The routes as callers see them.

use crate::current::Scans;
use shared::http::{Access, Method};
use shared::openapi::Operation;

/// One for each route.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/api/scans/current",
            Access::Api,
            "currentScans",
            "The scans that run or wait.",
        )
        .reply::<Scans<'_>>(200, "Those that run first."),
    ]
}
