//! Lists and removes the clips of a guild.

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

/// The OpenAPI operations of the routes.
pub fn operations() -> Vec<Operation> {
    tagged(&CLIPS, [list::operations(), remove::operations()])
}

/// Builds the function.
///
/// # Errors
/// If a setting is missing or invalid.
pub fn app(start: &Start) -> Result<App<()>, StartError> {
    start.app((), routes())
}
