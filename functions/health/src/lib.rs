//! Says whether the database answers.

mod operations;
mod redis;

use futures_util::FutureExt as _;
use shared::clock::Clock;
use shared::http::{Access, App, Method, Route, Services};

pub use operations::operations;

/// What the handlers use.
pub struct State {
    pub clock: Clock,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![Route {
        method: Method::GET,
        path: "/api/health/redis",
        access: Access::Open,
        handler: |state, redis, request| redis::check(state, redis, request).boxed(),
    }]
}

/// The function.
pub fn app(services: Services) -> App<State> {
    let clock = services.clock.clone();
    App::new(services, State { clock }, routes())
}
