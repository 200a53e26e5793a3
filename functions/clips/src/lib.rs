//! Lists the clips of a guild and removes them.

mod list;
mod remove;

use shared::http::{App, Route};
use shared::openapi::{CLIPS, Operation, tagged};
use shared::start::{Start, StartError};

/// The function's routes.
pub fn routes() -> Vec<Route<()>> {
    vec![
        list::LIST.to(list::list),
        remove::MANY.to(remove::many),
        remove::ONE.to(remove::one),
    ]
}

/// The routes as callers see them.
pub fn operations() -> Vec<Operation> {
    tagged(&CLIPS, [list::operations(), remove::operations()])
}

/// The function.
///
/// # Errors
/// The setting that is missing or wrong.
pub fn app(start: &Start) -> Result<App<()>, StartError> {
    start.app((), routes())
}
