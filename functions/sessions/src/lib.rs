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

/// The OpenAPI operations of the routes.
pub fn operations() -> Vec<Operation> {
    tagged(&SESSIONS, [login::operations()])
}

/// Builds the function.
///
/// # Errors
/// If a setting is missing or invalid.
pub fn app(start: &Start) -> Result<App<()>, StartError> {
    start.app((), routes())
}
