//! Shows guilds and channels as Discord has them, and keeps a guild's settings.

mod discord;
mod etag;
mod operations;
mod settings;
mod wanted;

use futures_util::FutureExt as _;
use shared::cache::Cache;
use shared::discord::Discord;
use shared::http::{Access, App, Method, Route, Services};
use shared::scan::ScanStore;

pub use operations::operations;

/// What the handlers use.
pub struct State {
    pub discord: Discord,
    pub cache: Cache,
    pub store: ScanStore,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![
        Route {
            method: Method::GET,
            path: "/api/guilds/{guildId}",
            access: Access::Api,
            query: &[],
            handler: |state, redis, request| discord::guild(state, redis, request).boxed(),
        },
        Route {
            method: Method::GET,
            path: "/api/guilds/{guildId}/channels/{channelId}",
            access: Access::Api,
            query: &[],
            handler: |state, redis, request| discord::channel(state, redis, request).boxed(),
        },
        Route {
            method: Method::DELETE,
            path: "/api/guilds/{guildId}/cache",
            access: Access::Admin,
            query: &[],
            handler: |state, redis, request| discord::forget(state, redis, request).boxed(),
        },
        Route {
            method: Method::GET,
            path: "/api/guilds/{guildId}/settings",
            access: Access::Api,
            query: &[],
            handler: |state, redis, request| settings::read(state, redis, request).boxed(),
        },
        Route {
            method: Method::PUT,
            path: "/api/guilds/{guildId}/settings",
            access: Access::Api,
            query: &[],
            handler: |state, redis, request| settings::write(state, redis, request).boxed(),
        },
        Route {
            method: Method::PATCH,
            path: "/api/guilds/{guildId}/settings",
            access: Access::Api,
            query: &[],
            handler: |state, redis, request| settings::merge(state, redis, request).boxed(),
        },
    ]
}

/// The function.
pub fn app(services: Services, discord: Discord, cache: Cache, store: ScanStore) -> App<State> {
    services.metrics.watch(&cache);
    let state = State {
        discord,
        cache,
        store,
    };
    App::new(services, state, routes())
}
