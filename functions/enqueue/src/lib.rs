//! Takes jobs on: a scan of a channel, a batch of its history, single messages.

mod batch;
mod operations;
mod run_at;
mod scan;
mod store;
mod terms;

use futures_util::FutureExt as _;
use shared::flags::Flags;
use shared::http::{Access, App, Method, Route, Services};
use shared::queue::Queue;
use shared::scan::ScanStore;
use shared::waker::Waker;

pub use operations::operations;

/// What the handlers use.
pub struct State {
    pub queue: Queue,
    pub store: ScanStore,
    pub flags: Flags,
    pub waker: Waker,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![
        Route {
            method: Method::POST,
            path: "/api/jobs/scan",
            access: Access::Api,
            query: &[],
            handler: |state, redis, request| scan::create(state, redis, request).boxed(),
        },
        Route {
            method: Method::POST,
            path: "/api/jobs",
            access: Access::Api,
            query: &[],
            handler: |state, redis, request| batch::create(state, redis, request).boxed(),
        },
    ]
}

/// The function.
pub fn app(
    services: Services,
    queue: Queue,
    store: ScanStore,
    flags: Flags,
    waker: Waker,
) -> App<State> {
    let state = State {
        queue,
        store,
        flags,
        waker,
    };
    App::new(services, state, routes())
}
