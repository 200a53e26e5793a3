//! Log lines: JSON on standard output, one event a line.
//!
//! Lambda files a line under its level only with an RFC 3339 `timestamp` and a
//! `level` at the top; hence our own form. Fields used everywhere: `function`,
//! `request_id`, `trace_id`, `cold_start` (on the lines of the first invocation),
//! `job_id`, `kind`, `attempt`, `fence`, `queue`, `route`, `status`, `duration_ms`,
//! `error`. No token, key, argument or message content is logged: what others log of
//! what passes through them is left out below `info`.

mod invocation;
mod lines;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{ConfigError, Environment, LogConfig};
use crate::panics;

pub use invocation::Invocations;
use lines::Lines;

/// The crates of ours that log.
const OURS: [&str; 2] = ["shared", "drain"];

/// Starts logging as [`LogConfig`] says, with a line for each panic; a second call does
/// nothing.
///
/// # Errors
/// The setting that is wrong; what is logged is then what is logged by default.
pub fn start() -> Result<(), ConfigError> {
    let config = LogConfig::read(&Environment::process());
    let fallback = LogConfig::default();
    let subscriber = subscriber(config.as_ref().unwrap_or(&fallback), std::io::stdout);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        panics::log();
    }
    config.map(|_| ())
}

/// What writes lines to `writer`.
pub fn subscriber<W>(config: &LogConfig, writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::registry()
        .with(targets(config))
        .with(Lines::new(writer, config.function.clone()))
}

/// Starts logging for a person at a terminal, warnings and worse unless `RUST_LOG`
/// says otherwise.
///
/// # Errors
/// The setting that is wrong.
pub fn start_for_people() -> Result<(), ConfigError> {
    let config = LogConfig::read(&Environment::process())?;
    let targets = config.targets;
    let targets = targets.unwrap_or_else(|| Targets::new().with_default(LevelFilter::WARN));
    let lines = tracing_subscriber::fmt::layer().with_target(false);
    let started = tracing_subscriber::registry().with(targets).with(lines);
    if started.try_init().is_err() {
        tracing::debug!("logging was started already");
    }
    Ok(())
}

/// What is logged: by a developer's own choice, or by the level of the deployment.
fn targets(config: &LogConfig) -> Targets {
    if let Some(targets) = &config.targets {
        return targets.clone();
    }
    let others = config.level.min(LevelFilter::INFO);
    Targets::new()
        .with_default(others)
        .with_targets(OURS.map(|name| (name, config.level)))
        // Its span tells the request of what reaches no handler; it logs nothing.
        .with_target("lambda_runtime::layers::trace", LevelFilter::INFO)
        // Says again what the handler has said.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
}

/// An error with its causes, for a log line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
