//! Lists the clips of a guild and removes them.

mod list;
mod operations;
mod remove;

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
    vec![
        Route {
            method: Method::GET,
            path: "/api/guilds/{guildId}/clips",
            access: Access::Api,
            query: &[
                "channelId",
                "after",
                "before",
                "minSeconds",
                "unknownLength",
                "cursor",
                "limit",
            ],
            handler: |state, redis, request| list::list(state, redis, request).boxed(),
        },
        Route {
            method: Method::DELETE,
            path: "/api/guilds/{guildId}/clips",
            access: Access::Api,
            query: &["channelId", "messageId", "authorId", "cursor"],
            handler: |state, redis, request| remove::many(state, redis, request).boxed(),
        },
        Route {
            method: Method::DELETE,
            path: "/api/guilds/{guildId}/clips/{clipId}",
            access: Access::Api,
            query: &["messageId", "channelId"],
            handler: |state, redis, request| remove::one(state, redis, request).boxed(),
        },
    ]
}

/// The function.
pub fn app(services: Services, store: ScanStore) -> App<State> {
    App::new(services, State { store }, routes())
}
