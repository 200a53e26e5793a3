//! Shows the scan status of channels.

mod status;
mod statuses;

use shared::http::{App, Route};
use shared::openapi::{Operation, SCANS, tagged};
use shared::start::{Start, StartError};

/// The function's routes.
pub fn routes() -> Vec<Route<()>> {
    vec![
        statuses::OF_GUILD.to(statuses::of_guild),
        statuses::OF_CHANNEL.to(statuses::of_channel),
    ]
}

/// The routes as callers see them.
pub fn operations() -> Vec<Operation> {
    tagged(&SCANS, [statuses::operations()])
}

/// The function.
///
/// # Errors
/// The setting that is missing or wrong.
pub fn app(start: &Start) -> Result<App<()>, StartError> {
    start.app((), routes())
}
