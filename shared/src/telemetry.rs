//! Log lines: JSON on standard output, one event a line.
//!
//! Lambda files a line under its level only with an RFC 3339 `timestamp` and a
//! `level` at the top; hence our own subscriber. Fields used everywhere: `job_id`,
//! `kind`, `attempt`, `fence`, `queue`, `request_id`, `route`, `status`,
//! `duration_ms`, `error`. No token, argument or message content is logged.

use tracing_subscriber::EnvFilter;

/// Starts logging; a second call does nothing. `RUST_LOG` or
/// `AWS_LAMBDA_LOG_LEVEL` set the level, `info` by default.
pub fn start() {
    let filter = EnvFilter::try_from_env("AWS_LAMBDA_LOG_LEVEL")
        .or_else(|_| EnvFilter::try_from_default_env())
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let started = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_target(false)
        .with_env_filter(filter)
        .with_ansi(false)
        .try_init();
    if started.is_err() {
        tracing::debug!("logging was started already");
    }
}

/// Starts logging for a person at a terminal, warnings and worse unless `RUST_LOG`
/// says otherwise.
pub fn start_for_people() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let started = tracing_subscriber::fmt()
        .with_target(false)
        .with_env_filter(filter)
        .try_init();
    if started.is_err() {
        tracing::debug!("logging was started already");
    }
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
