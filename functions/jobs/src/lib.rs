//! Shows jobs, cancels them, lets failed ones run again.

mod change;
mod operations;
mod read;

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
    vec![
        Route {
            method: Method::GET,
            path: "/api/jobs/{jobId}",
            access: Access::Api,
            query: &[],
            handler: |state, redis, request| read::one(state, redis, request).boxed(),
        },
        Route {
            method: Method::GET,
            path: "/api/jobs",
            access: Access::Api,
            query: &["state", "cursor", "limit"],
            handler: |state, redis, request| read::list(state, redis, request).boxed(),
        },
        Route {
            method: Method::DELETE,
            path: "/api/jobs/{jobId}",
            access: Access::Api,
            query: &["purge"],
            handler: |state, redis, request| change::cancel(state, redis, request).boxed(),
        },
        Route {
            method: Method::POST,
            path: "/api/jobs/{jobId}/retry",
            access: Access::Api,
            query: &[],
            handler: |state, redis, request| change::retry(state, redis, request).boxed(),
        },
    ]
}

/// The function.
pub fn app(services: Services, queue: Queue, progress: Progress) -> App<State> {
    App::new(services, State { queue, progress }, routes())
}
