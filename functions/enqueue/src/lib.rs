//! Takes jobs on: a scan of a channel, a batch of its history, single messages.

mod batch;
mod operations;
mod scan;

use futures_util::FutureExt as _;
use shared::http::{Access, App, Method, Route, Services};
use shared::queue::Queue;
use shared::waker::Waker;

pub use operations::operations;

/// What the handlers use.
pub struct State {
    pub queue: Queue,
    pub waker: Waker,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![
        Route {
            method: Method::POST,
            path: "/api/jobs/scan",
            access: Access::Api,
            handler: |state, redis, request| scan::create(state, redis, request).boxed(),
        },
        Route {
            method: Method::POST,
            path: "/api/jobs",
            access: Access::Api,
            handler: |state, redis, request| batch::create(state, redis, request).boxed(),
        },
    ]
}

/// The function.
pub fn app(services: Services, queue: Queue, waker: Waker) -> App<State> {
    App::new(services, State { queue, waker }, routes())
}
