//! Says whether the database answers.

mod operations;
mod redis;

use futures_util::FutureExt as _;
use shared::clock::Clock;
use shared::http::{Access, App, Method, Route, Services};
use shared::redis::Redis;

pub use operations::operations;

/// What the handlers use.
pub struct State {
    pub clock: Clock,
    /// Not through the front door's gate: nobody's limit is asked for.
    pub redis: Redis,
    pub(crate) newest: redis::Newest,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![Route {
        method: Method::GET,
        path: "/api/health/redis",
        access: Access::Open,
        query: &[],
        handler: |state, redis, request| redis::check(state, redis, request).boxed(),
    }]
}

/// The function.
pub fn app(services: Services) -> App<State> {
    let state = State {
        clock: services.clock.clone(),
        redis: services.redis.clone(),
        newest: redis::Newest::default(),
    };
    App::new(services, state, routes())
}
