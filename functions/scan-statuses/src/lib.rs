//! Shows the scan status of channels.

mod guild_scan;
mod statuses;

use shared::http::{App, Route};
use shared::openapi::{Operation, SCANS, tagged};
use shared::start::{Start, StartError};

/// The function's routes.
pub fn routes() -> Vec<Route<()>> {
    vec![
        statuses::OF_GUILD.to(statuses::of_guild),
        statuses::OF_CHANNEL.to(statuses::of_channel),
        guild_scan::SHOW.to(guild_scan::show),
    ]
}

/// The OpenAPI operations of the routes.
pub fn operations() -> Vec<Operation> {
    tagged(&SCANS, [statuses::operations(), guild_scan::operations()])
}

/// Builds the function.
///
/// # Errors
/// If a setting is missing or invalid.
pub fn app(start: &Start) -> Result<App<()>, StartError> {
    start.app((), routes())
}
