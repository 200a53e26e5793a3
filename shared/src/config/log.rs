//! The settings of log lines.

use tracing_subscriber::filter::LevelFilter;

use super::Environment;

/// What is logged.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// From `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets to `ApplicationLogLevel`. Defaults
    /// to `info`.
    pub level: LevelFilter,
    /// What a developer wants to see, such as `info,shared=debug`, from `RUST_LOG`. Other
    /// crates may show what passes through them: not for deployments.
    pub targets: Option<String>,
    /// From `AWS_LAMBDA_FUNCTION_NAME`, which Lambda sets.
    pub function: Option<String>,
}

impl LogConfig {
    pub fn read(env: &Environment<'_>) -> LogConfig {
        let level = env.text("AWS_LAMBDA_LOG_LEVEL");
        LogConfig {
            // Lambda's own word for what ends a process; nothing here says it.
            level: match level.as_deref() {
                Some("FATAL") => LevelFilter::OFF,
                level => level
                    .and_then(|level| level.parse().ok())
                    .unwrap_or(LevelFilter::INFO),
            },
            targets: env.text("RUST_LOG"),
            function: env.text("AWS_LAMBDA_FUNCTION_NAME"),
        }
    }
}
