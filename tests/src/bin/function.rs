//! The functions as processes. `function NAME` does the same as
//! `functions/NAME/src/main.rs`, so that tests cover the runtime, the settings and the
//! start.

#[path = "../../../functions/admin/src/main.rs"]
mod admin;
#[path = "../../../functions/clips/src/main.rs"]
mod clips;
#[path = "../../../functions/drain/src/main.rs"]
mod drain;
#[path = "../../../functions/enqueue/src/main.rs"]
mod enqueue;
#[path = "../../../functions/guilds/src/main.rs"]
mod guilds;
#[path = "../../../functions/health/src/main.rs"]
mod health;
#[path = "../../../functions/jobs/src/main.rs"]
mod jobs;
#[path = "../../../functions/scan-statuses/src/main.rs"]
mod scan_statuses;
#[path = "../../../functions/scan-stream/src/main.rs"]
mod scan_stream;
#[path = "../../../functions/scans-current/src/main.rs"]
mod scans_current;
#[path = "../../../functions/sessions/src/main.rs"]
mod sessions;
#[path = "../../../functions/uploads/src/main.rs"]
mod uploads;

/// A function for tests only. It panics instead of answering.
mod panics {
    use shared::http::{Access, ApiError, Context, Reply, Spec};
    use shared::start::{self, Error};

    const PANIC: Spec = Spec::get("/api/panic", "panic", "Panics.").access(Access::Open);

    async fn panic(_: Context<()>) -> Result<Reply, ApiError> {
        panic!("it said m4rk")
    }

    #[tokio::main(flavor = "current_thread")]
    pub async fn main() -> Result<(), Error> {
        start::serve(|start| start.app((), vec![PANIC.to(panic)])).await
    }
}

fn main() -> Result<(), lambda_http::Error> {
    match std::env::args().nth(1).unwrap_or_default().as_str() {
        "admin" => admin::main(),
        "clips" => clips::main(),
        "drain" => drain::main(),
        "enqueue" => enqueue::main(),
        "guilds" => guilds::main(),
        "health" => health::main(),
        "jobs" => jobs::main(),
        "scan-statuses" => scan_statuses::main(),
        "scan-stream" => scan_stream::main(),
        "scans-current" => scans_current::main(),
        "sessions" => sessions::main(),
        "uploads" => uploads::main(),
        "panics" => panics::main(),
        other => Err(format!("there is no function `{other}`").into()),
    }
}
