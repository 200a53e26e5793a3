//! Follows a scan: its state and the events since the last poll.

mod stream;

use shared::http::{App, Route};
use shared::openapi::{Operation, SCANS, tagged};
use shared::start::{Start, StartError};

/// The function's routes.
pub fn routes() -> Vec<Route<()>> {
    vec![stream::FOLLOW.to(stream::follow)]
}

/// The OpenAPI operations of the routes.
pub fn operations() -> Vec<Operation> {
    tagged(&SCANS, [stream::operations()])
}

/// Builds the function.
///
/// # Errors
/// If a setting is missing or invalid.
pub fn app(start: &Start) -> Result<App<()>, StartError> {
    start.app((), routes())
}
