//! Log lines: JSON on standard output, one event on each line.
//!
//! Lambda recognizes the level of a line only if it has an RFC 3339 `timestamp` and a
//! `level` at the top, hence our own format. These fields are used everywhere: `function`,
//! `request_id`, `trace_id`, `cold_start` (on the lines of the first invocation), `job_id`,
//! `kind`, `attempt`, `fence`, `queue`, `route`, `status`, `duration_ms`, `error`. No
//! token, key, argument or message content is logged. Other crates may log what passes
//! through them, so their lines below `info` are left out.

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

/// Our crates that log.
const OURS: [&str; 2] = ["shared", "drain"];

/// Starts logging as [`LogConfig`] says, with a line for each panic. A second call does
/// nothing.
///
/// # Errors
/// A setting is wrong. Logging then uses its defaults.
pub fn start() -> Result<(), ConfigError> {
    let config = LogConfig::read(&Environment::process());
    let fallback = LogConfig::default();
    let subscriber = subscriber(config.as_ref().unwrap_or(&fallback), std::io::stdout);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        panics::log();
    }
    config.map(|_| ())
}

/// Builds the subscriber that writes lines to `writer`.
pub fn subscriber<W>(config: &LogConfig, writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::registry()
        .with(targets(config))
        .with(Lines::new(writer, config.function.clone()))
}

/// Starts logging for a person at a terminal: warnings and above, unless `RUST_LOG` says
/// otherwise.
///
/// # Errors
/// A setting is wrong.
pub fn start_for_people() -> Result<(), ConfigError> {
    let config = LogConfig::read(&Environment::process())?;
    let targets = config.targets;
    let targets = targets.unwrap_or_else(|| Targets::new().with_default(LevelFilter::WARN));
    let lines = tracing_subscriber::fmt::layer().with_target(false);
    let started = tracing_subscriber::registry().with(targets).with(lines);
    if started.try_init().is_err() {
        tracing::debug!("logging was already started");
    }
    Ok(())
}

/// What is logged: the developer's choice, or the deployment's level.
fn targets(config: &LogConfig) -> Targets {
    if let Some(targets) = &config.targets {
        return targets.clone();
    }
    let others = config.level.min(LevelFilter::INFO);
    Targets::new()
        .with_default(others)
        .with_targets(OURS.map(|name| (name, config.level)))
        // Its span holds the request id of events that reach no handler. It logs nothing
        // itself.
        .with_target("lambda_runtime::layers::trace", LevelFilter::INFO)
        // Disabled, because it repeats what the handler has logged.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
}

/// Formats an error with its causes, for a log line.
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
