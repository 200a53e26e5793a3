//! Lists the clips of a guild.

mod list;
mod operations;

use futures_util::FutureExt as _;
use shared::http::{Access, App, Method, Route, Services};
use shared::scan::ScanStore;

pub use operations::operations;

/// What the handlers use.
pub struct State {
    pub store: ScanStore,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![Route {
        method: Method::GET,
        path: "/api/guilds/{guildId}/clips",
        access: Access::Api,
        query: &[
            "channelId",
            "after",
            "before",
            "minSeconds",
            "cursor",
            "limit",
        ],
        handler: |state, redis, request| list::list(state, redis, request).boxed(),
    }]
}

/// The function.
pub fn app(services: Services, store: ScanStore) -> App<State> {
    App::new(services, State { store }, routes())
}
