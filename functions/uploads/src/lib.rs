//! Takes files in parts, and has them scanned.

mod upload;

use shared::http::{App, Route};
use shared::openapi::{Operation, UPLOADS, tagged};
use shared::start::{Start, StartError};
use shared::waker::{BY_ENQUEUE, Wake, Waker};

/// What the handlers share.
pub struct State {
    waker: Waker,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![
        upload::BEGIN.to(upload::begin),
        upload::READ.to(upload::read),
        upload::STORE.to(upload::part),
        upload::FINISH.to(upload::finish),
    ]
}

/// The OpenAPI operations of the routes.
pub fn operations() -> Vec<Operation> {
    tagged(&UPLOADS, [upload::operations()])
}

/// Builds the function.
///
/// # Errors
/// If a setting is missing or invalid.
pub fn app(start: &Start) -> Result<App<State>, StartError> {
    let wake = start.wake(BY_ENQUEUE);
    let wake = wake.map(|wake| -> Box<dyn Wake> { Box::new(wake) });
    let linger = start.settings().queue()?.linger;
    let state = State {
        waker: Waker::new(wake, start.clock().clone(), linger),
    };
    start.app(state, routes())
}
