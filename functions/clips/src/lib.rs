//! Lists, exports and removes the clips of a guild.

mod clip_id;
mod export;
mod filter;
mod list;
mod one;
mod remove;

use shared::discord::Discord;
use shared::http::{App, Route};
use shared::openapi::{CLIPS, Operation, tagged};
use shared::outbound::Hosts;
use shared::start::{Start, StartError};
use shared::waker::{BY_ENQUEUE, Wake, Waker};

/// What the handlers share.
pub struct State {
    waker: Waker,
    discord: Discord,
    /// Where files may be. `None` if none is to be asked for.
    hosts: Option<Hosts>,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![
        list::LIST.to(list::list),
        one::SHOW.to(one::show),
        one::PLAY.to(one::play),
        remove::MANY.to(remove::many),
        remove::ONE.to(remove::one),
        export::CREATE.to(export::create),
        export::SHOW.to(export::show),
        export::PART.to(export::part),
        export::REMOVE.to(export::remove),
    ]
}

/// The OpenAPI operations of the routes.
pub fn operations() -> Vec<Operation> {
    tagged(
        &CLIPS,
        [
            list::operations(),
            one::operations(),
            remove::operations(),
            export::operations(),
        ],
    )
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
        discord: start.discord()?,
        hosts: start.settings().discord()?.cdn_hosts,
    };
    Ok(start.app(state, routes())?.reporting_the_cache())
}
