//! Shows jobs, cancels them, lets failed ones run again.

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

/// The routes as callers see them.
pub fn operations() -> Vec<Operation> {
    tagged(&JOBS, [read::operations(), change::operations()])
}

/// The function.
///
/// # Errors
/// The setting that is missing or wrong.
pub fn app(start: &Start) -> Result<App<()>, StartError> {
    start.app((), routes())
}
