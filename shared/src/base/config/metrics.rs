//! The settings of the metrics.

use super::environment::{ConfigError, Environment};

/// Whether metrics are written, and under which names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsConfig {
    /// Whether metrics are written: `emf` in `METRICS` turns them on, and any other value
    /// turns them off. Defaults to off.
    pub is_on: bool,
    /// The stage, from `STAGE`. Defaults to `dev`.
    pub stage: String,
    /// The name of the function, from `AWS_LAMBDA_FUNCTION_NAME`, which Lambda sets.
    pub function: String,
    /// The memory of the function in megabytes, from `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`,
    /// which Lambda sets.
    pub memory_mb: Option<u64>,
    /// The number of commands that the database's plan allows in a month, from
    /// `COMMAND_BUDGET`. 0 if the plan does not count them. Defaults to 500,000, as in the
    /// free plan.
    pub command_budget: u64,
}

impl MetricsConfig {
    /// Reads this section.
    ///
    /// # Errors
    /// A variable is wrong.
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
