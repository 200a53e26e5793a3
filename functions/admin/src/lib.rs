//! Shows how the database and the queues are doing; pauses, resumes and redrives; sets
//! switches.

mod counters;
mod discord;
mod flags;
mod info;
mod operations;
mod queues;
mod redis;

use futures_util::FutureExt as _;
use shared::clock::Clock;
use shared::counters::Counters;
use shared::flags::Flags;
use shared::http::{Access, App, Method, Route, Services};
use shared::metrics::CommandBudget;
use shared::queue::Queue;
use shared::scan::ScanStore;

pub use operations::operations;

/// What the handlers use.
pub struct State {
    pub queues: Vec<Queue>,
    pub flags: Flags,
    pub counters: Counters,
    pub store: ScanStore,
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
        query: &[],
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
        Route {
            query: &["name", "period", "n"],
            ..route(
                Method::GET,
                "/api/admin/counters",
                |state, redis, request| counters::read(state, redis, request).boxed(),
            )
        },
        route(
            Method::DELETE,
            "/api/admin/discord/pause",
            |state, redis, request| discord::resume(state, redis, request).boxed(),
        ),
        route(Method::GET, "/api/admin/flags", |state, redis, request| {
            flags::list(state, redis, request).boxed()
        }),
        route(
            Method::GET,
            "/api/admin/flags/{name}",
            |state, redis, request| flags::one(state, redis, request).boxed(),
        ),
        route(
            Method::PUT,
            "/api/admin/flags/{name}",
            |state, redis, request| flags::set(state, redis, request).boxed(),
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
    let (redis, clock) = (services.redis.clone(), services.clock.clone());
    let state = State {
        queues,
        flags: Flags::new(key_prefix),
        store: ScanStore::new(redis.clone(), key_prefix),
        counters: Counters::new(redis, key_prefix, clock),
        clock: services.clock.clone(),
        budget: services.budget.clone(),
        command_budget,
        key_prefix: key_prefix.to_owned(),
        stream: stream.to_owned(),
    };
    App::new(services, state, routes())
}
