//! Lists the scans that are waiting or running.

mod current;

use shared::http::{App, Route};
use shared::openapi::{Operation, SCANS, tagged};
use shared::start::{Start, StartError};

/// The function's routes.
pub fn routes() -> Vec<Route<()>> {
    vec![current::LIST.to(current::list)]
}

/// The OpenAPI operations of the routes.
pub fn operations() -> Vec<Operation> {
    tagged(&SCANS, [current::operations()])
}

/// Builds the function.
///
/// # Errors
/// If a setting is missing or invalid.
pub fn app(start: &Start) -> Result<App<()>, StartError> {
    start.app((), routes())
}
