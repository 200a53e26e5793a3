//! Signs people in and out.

mod login;

use shared::http::{App, Route};
use shared::openapi::{Operation, SESSIONS, tagged};
use shared::start::{Start, StartError};

/// The function's routes.
pub fn routes() -> Vec<Route<()>> {
    vec![
        login::SIGN_IN.to_pending(login::sign_in),
        login::SIGN_OUT.to_pending(login::sign_out),
    ]
}

/// The routes as callers see them.
pub fn operations() -> Vec<Operation> {
    tagged(&SESSIONS, [login::operations()])
}

/// The function.
///
/// # Errors
/// The setting that is missing or wrong.
pub fn app(start: &Start) -> Result<App<()>, StartError> {
    start.app((), routes())
}
