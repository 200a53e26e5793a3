//! Follows a scan: its state and the events since the last look.

mod operations;
mod stream;

use futures_util::FutureExt as _;
use shared::http::{Access, App, Method, Route, Services};
use shared::progress::Progress;
use shared::queue::Queue;

pub use operations::operations;

/// What the handlers use.
pub struct State {
    pub queue: Queue,
    pub progress: Progress,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![Route {
        method: Method::GET,
        path: "/api/scans/stream/{scanId}",
        access: Access::Api,
        query: &["lastId"],
        handler: |state, redis, request| stream::read(state, redis, request).boxed(),
    }]
}

/// The function.
pub fn app(services: Services, queue: Queue, progress: Progress) -> App<State> {
    App::new(services, State { queue, progress }, routes())
}
