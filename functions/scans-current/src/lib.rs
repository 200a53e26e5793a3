//! Shows the scans that wait or run.

mod current;

use shared::http::{App, Route};
use shared::openapi::{Operation, SCANS, tagged};
use shared::start::{Start, StartError};

/// The function's routes.
pub fn routes() -> Vec<Route<()>> {
    vec![current::LIST.to(current::list)]
}

/// The routes as callers see them.
pub fn operations() -> Vec<Operation> {
    tagged(&SCANS, [current::operations()])
}

/// The function.
///
/// # Errors
/// The setting that is missing or wrong.
pub fn app(start: &Start) -> Result<App<()>, StartError> {
    start.app((), routes())
}
