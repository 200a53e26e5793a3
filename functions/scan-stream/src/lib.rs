//! Follows a scan: its state and the events since the last look.

mod stream;

use shared::http::{App, Route};
use shared::openapi::{Operation, SCANS, tagged};
use shared::start::{Start, StartError};

/// The function's routes.
pub fn routes() -> Vec<Route<()>> {
    vec![stream::FOLLOW.to(stream::follow)]
}

/// The routes as callers see them.
pub fn operations() -> Vec<Operation> {
    tagged(&SCANS, [stream::operations()])
}

/// The function.
///
/// # Errors
/// The setting that is missing or wrong.
pub fn app(start: &Start) -> Result<App<()>, StartError> {
    start.app((), routes())
}
