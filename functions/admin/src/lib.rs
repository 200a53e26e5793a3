//! Shows the state of the database and the queues; pauses, resumes and redrives queues;
//! sets flags.

mod counters;
mod discord;
mod flags;
mod info;
mod queues;
mod redis;

use shared::http::{App, Route};
use shared::openapi::{ADMINISTRATION, Operation, tagged};
use shared::start::{Start, StartError};

/// What the handlers share.
pub struct State {
    /// Commands that the plan includes each month; 0 if the plan does not limit them.
    command_budget: u64,
    /// The stream in which other programs leave jobs.
    stream: String,
}

/// The function's routes.
pub fn routes() -> Vec<Route<State>> {
    vec![
        redis::METRICS.to(redis::metrics),
        redis::STATS.to(redis::stats),
        counters::READ.to(counters::read),
        discord::RESUME.to(discord::resume),
        flags::LIST.to(flags::list),
        flags::GET.to(flags::get),
        flags::SET.to(flags::set),
        queues::LIST.to(queues::list),
        queues::PAUSE.to(queues::pause),
        queues::RESUME.to(queues::resume),
        queues::REDRIVE.to(queues::redrive),
    ]
}

/// The OpenAPI operations of the routes.
pub fn operations() -> Vec<Operation> {
    let operations = [
        redis::operations(),
        queues::operations(),
        flags::operations(),
        discord::operations(),
        counters::operations(),
    ];
    tagged(&ADMINISTRATION, operations)
}

/// Builds the function.
///
/// # Errors
/// If a setting is missing or invalid.
pub fn app(start: &Start) -> Result<App<State>, StartError> {
    let settings = start.settings();
    let state = State {
        command_budget: settings.metrics()?.command_budget,
        stream: settings.drain()?.stream,
    };
    start.app(state, routes())
}
