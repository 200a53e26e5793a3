//! Shows the scans that wait or run.

mod current;
mod operations;

use futures_util::FutureExt as _;
use shared::http::{Access, App, Method, Route, Services};
use shared::queue::Queue;

pub use operations::operations;

/// What the handlers use.
pub struct State {
    pub queue: Queue,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![Route {
        method: Method::GET,
        path: "/api/scans/current",
        access: Access::Api,
        query: &[],
        handler: |state, redis, request| current::list(state, redis, request).boxed(),
    }]
}

/// The function.
pub fn app(services: Services, queue: Queue) -> App<State> {
    App::new(services, State { queue }, routes())
}
