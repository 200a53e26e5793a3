//! Accepts jobs: scans of a channel, batches of its history, and single messages.

mod batch;
mod guild;
mod policy;
mod run_at;
mod scan;
mod store;

use shared::http::{App, Route};
use shared::openapi::{JOBS, Operation, SCANS, tagged};
use shared::start::{Start, StartError};
use shared::waker::{BY_ENQUEUE, Wake, Waker};

/// What the handlers share.
pub struct State {
    waker: Waker,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![
        scan::CREATE.to(scan::create),
        guild::CREATE.to(guild::create),
        batch::CREATE.to_pending(batch::create),
    ]
}

/// The OpenAPI operations of the routes.
pub fn operations() -> Vec<Operation> {
    [
        tagged(&SCANS, [scan::operations(), guild::operations()]),
        tagged(&JOBS, [batch::operations()]),
    ]
    .concat()
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
