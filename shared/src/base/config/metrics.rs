//! The settings of metrics.

use super::environment::{ConfigError, Environment};

/// Whether metrics are written, and under which names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsConfig {
    /// From `METRICS`: `emf` writes them, anything else or nothing does not.
    pub is_on: bool,
    /// From `STAGE`. Defaults to `dev`.
    pub stage: String,
    /// From `AWS_LAMBDA_FUNCTION_NAME`, which Lambda sets.
    pub function: String,
    /// Of the function, in megabytes, from `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, which
    /// Lambda sets.
    pub memory_mb: Option<u64>,
    /// Commands the database's plan allows in a month, from `COMMAND_BUDGET`; 0 when it
    /// does not count them. Defaults to 500,000, the free plan's.
    pub command_budget: u64,
}

impl MetricsConfig {
    /// # Errors
    /// The variable that is wrong.
    pub fn read(env: &Environment<'_>) -> Result<MetricsConfig, ConfigError> {
        let or = |name, default: &str| env.text(name).unwrap_or_else(|| default.to_owned());
        let budget = 0..=1_000_000_000_000;
        Ok(MetricsConfig {
            is_on: env.text("METRICS").as_deref() == Some("emf"),
            stage: or("STAGE", "dev"),
            function: or("AWS_LAMBDA_FUNCTION_NAME", "unknown"),
            memory_mb: env
                .text("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
                .and_then(|size| size.parse().ok()),
            command_budget: env.number("COMMAND_BUDGET", 500_000, budget, "commands a month")?,
        })
    }
}
