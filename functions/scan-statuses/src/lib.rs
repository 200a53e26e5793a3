//! Shows how the scans of channels stand.

mod operations;
mod status;
mod statuses;

use futures_util::FutureExt as _;
use shared::http::{Access, App, Method, Route, Services};
use shared::queue::Queue;
use shared::scan::ScanStore;

pub use operations::operations;

/// What the handlers use.
pub struct State {
    pub queue: Queue,
    pub store: ScanStore,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![
        Route {
            method: Method::GET,
            path: "/api/guilds/{guildId}/scan-statuses",
            access: Access::Api,
            query: &[],
            handler: |state, redis, request| statuses::of_guild(state, redis, request).boxed(),
        },
        Route {
            method: Method::GET,
            path: "/api/guilds/{guildId}/channels/{channelId}/scan-status",
            access: Access::Api,
            query: &[],
            handler: |state, redis, request| statuses::of_channel(state, redis, request).boxed(),
        },
    ]
}

/// The function.
pub fn app(services: Services, queue: Queue, store: ScanStore) -> App<State> {
    App::new(services, State { queue, store }, routes())
}
