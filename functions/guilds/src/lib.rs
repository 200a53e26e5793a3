//! Shows guilds and channels as Discord reports them, and stores the settings and the
//! schedules of guilds, and where their notices are sent.

mod channels;
mod discord;
mod etag;
mod input;
mod mine;
mod notices;
mod schedule;
mod settings;

use shared::discord::Discord;
use shared::http::{App, Route};
use shared::openapi::{GUILDS, Operation, tagged};
use shared::outbound::Hosts;
use shared::start::{Start, StartError};

/// What the handlers share.
pub struct State {
    discord: Discord,
    /// The hosts that a webhook may have.
    webhook_hosts: Hosts,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![
        mine::LIST.to(mine::list),
        channels::LIST.to(channels::list),
        discord::GUILD.to(discord::guild),
        discord::CHANNEL.to(discord::channel),
        discord::FORGET.to(discord::forget),
        settings::READ.to(settings::read),
        settings::WRITE.to(settings::write),
        settings::MERGE.to(settings::merge),
        notices::READ.to(notices::read),
        notices::WRITE.to(notices::write),
        notices::REMOVE.to(notices::remove),
        schedule::READ.to(schedule::read),
        schedule::WRITE.to(schedule::write),
        schedule::REMOVE.to(schedule::remove),
        schedule::READ_CHANNEL.to(schedule::read_channel),
        schedule::WRITE_CHANNEL.to(schedule::write_channel),
        schedule::REMOVE_CHANNEL.to(schedule::remove_channel),
    ]
}

/// The OpenAPI operations of the routes.
pub fn operations() -> Vec<Operation> {
    tagged(
        &GUILDS,
        [
            mine::operations(),
            channels::operations(),
            discord::operations(),
            settings::operations(),
            schedule::operations(),
            notices::operations(),
        ],
    )
}

/// Builds the function.
///
/// # Errors
/// If a setting is missing or invalid.
pub fn app(start: &Start) -> Result<App<State>, StartError> {
    let state = State {
        discord: start.discord()?,
        webhook_hosts: start.settings().drain()?.webhook_hosts,
    };
    Ok(start.app(state, routes())?.reporting_the_cache())
}
