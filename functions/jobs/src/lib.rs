//! Shows, cancels and retries jobs.

mod change;
mod read;

use shared::http::{App, Route};
use shared::openapi::{JOBS, Operation, tagged};
use shared::start::{Start, StartError};

/// The function's routes.
pub fn routes() -> Vec<Route<()>> {
    vec![
        read::ONE.to(read::one),
        read::LIST.to(read::list),
        change::CANCEL.to(change::cancel),
        change::RETRY.to(change::retry),
    ]
}

/// The OpenAPI operations of the routes.
pub fn operations() -> Vec<Operation> {
    tagged(&JOBS, [read::operations(), change::operations()])
}

/// Builds the function.
///
/// # Errors
/// If a setting is missing or invalid.
pub fn app(start: &Start) -> Result<App<()>, StartError> {
    start.app((), routes())
}
