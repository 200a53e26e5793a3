//! Reports whether the database answers.

mod redis;

use shared::http::{App, Route};
use shared::openapi::{HEALTH, Operation, tagged};
use shared::start::{Start, StartError};

/// What the handlers share.
#[derive(Default)]
pub struct State {
    latest: redis::Latest,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![redis::CHECK.to(redis::check)]
}

/// The OpenAPI operations of the routes.
pub fn operations() -> Vec<Operation> {
    tagged(&HEALTH, [redis::operations()])
}

/// Builds the function.
///
/// # Errors
/// If a setting is missing or invalid.
pub fn app(start: &Start) -> Result<App<State>, StartError> {
    start.app(State::default(), routes())
}
