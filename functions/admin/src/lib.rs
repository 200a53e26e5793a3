//! Shows how the database and the queues are doing; pauses, resumes and redrives.

mod info;
mod operations;
mod queues;
mod redis;

use futures_util::FutureExt as _;
use shared::clock::Clock;
use shared::http::{Access, App, Method, Route, Services};
use shared::metrics::CommandBudget;
use shared::queue::Queue;

pub use operations::operations;

/// What the handlers use.
pub struct State {
    pub queues: Vec<Queue>,
    pub clock: Clock,
    /// What every key starts with.
    pub key_prefix: String,
    pub budget: CommandBudget,
    /// Commands the plan allows in a month, 0 when it does not count them.
    pub command_budget: u64,
    /// The stream other programs leave jobs in.
    pub stream: String,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    let route = |method, path, handler| Route {
        method,
        path,
        access: Access::Admin,
        handler,
    };
    vec![
        route(
            Method::GET,
            "/api/admin/redis/metrics",
            |state, redis, request| redis::metrics(state, redis, request).boxed(),
        ),
        route(
            Method::GET,
            "/api/admin/redis/stats",
            |state, redis, request| redis::stats(state, redis, request).boxed(),
        ),
        route(Method::GET, "/api/admin/queues", |state, redis, request| {
            queues::list(state, redis, request).boxed()
        }),
        route(
            Method::POST,
            "/api/admin/queues/{name}/pause",
            |state, redis, request| queues::pause(state, redis, request).boxed(),
        ),
        route(
            Method::POST,
            "/api/admin/queues/{name}/resume",
            |state, redis, request| queues::resume(state, redis, request).boxed(),
        ),
        route(
            Method::POST,
            "/api/admin/queues/{name}/redrive",
            |state, redis, request| queues::redrive(state, redis, request).boxed(),
        ),
    ]
}

/// The function.
pub fn app(
    services: Services,
    queues: Vec<Queue>,
    key_prefix: &str,
    stream: &str,
    command_budget: u64,
) -> App<State> {
    let state = State {
        queues,
        clock: services.clock.clone(),
        budget: services.budget.clone(),
        command_budget,
        key_prefix: key_prefix.to_owned(),
        stream: stream.to_owned(),
    };
    App::new(services, state, routes())
}
