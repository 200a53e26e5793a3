//! Shows guilds and channels as Discord has them, and keeps a guild's settings.

mod discord;
mod etag;
mod input;
mod settings;

use shared::discord::Discord;
use shared::http::{App, Route};
use shared::openapi::{GUILDS, Operation, tagged};
use shared::start::{Start, StartError};

/// What the handlers share.
pub struct State {
    discord: Discord,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![
        discord::GUILD.to(discord::guild),
        discord::CHANNEL.to(discord::channel),
        discord::FORGET.to(discord::forget),
        settings::READ.to(settings::read),
        settings::WRITE.to(settings::write),
        settings::MERGE.to(settings::merge),
    ]
}

/// The routes as callers see them.
pub fn operations() -> Vec<Operation> {
    tagged(&GUILDS, [discord::operations(), settings::operations()])
}

/// The function.
///
/// # Errors
/// The setting that is missing or wrong.
pub fn app(start: &Start) -> Result<App<State>, StartError> {
    let state = State {
        discord: start.discord()?,
    };
    Ok(start.app(state, routes())?.reporting_the_cache())
}
