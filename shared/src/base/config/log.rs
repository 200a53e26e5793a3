//! The settings of the log.

use tracing_subscriber::filter::{LevelFilter, Targets};

use super::environment::{ConfigError, Environment};

/// What is logged.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// The lowest level that is logged, from `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets to
    /// `ApplicationLogLevel`. Defaults to `info`.
    pub level: LevelFilter,
    /// A developer's choice of what is logged, such as `info,shared=debug`, from
    /// `RUST_LOG`. Not for deployments, because other crates may log what passes through
    /// them. Defaults to none.
    pub targets: Option<Targets>,
    /// The name of the function, from `AWS_LAMBDA_FUNCTION_NAME`, which Lambda sets.
    pub function: Option<String>,
}

impl LogConfig {
    /// Reads this section.
    ///
    /// # Errors
    /// A variable is wrong.
    pub fn read(env: &Environment<'_>) -> Result<LogConfig, ConfigError> {
        let level = env.text("AWS_LAMBDA_LOG_LEVEL");
        let level = level.as_deref().map(|level| level.trim().to_uppercase());
        let level = match level.as_deref() {
            None | Some("INFO") => LevelFilter::INFO,
            Some("TRACE") => LevelFilter::TRACE,
            Some("DEBUG") => LevelFilter::DEBUG,
            Some("WARN") => LevelFilter::WARN,
            Some("ERROR") => LevelFilter::ERROR,
            // Lambda's word for errors that end a process. Nothing here logs at that level.
            Some("FATAL") => LevelFilter::OFF,
            Some(_) => {
                return Err(ConfigError::Invalid {
                    name: "AWS_LAMBDA_LOG_LEVEL",
                    expected: "TRACE, DEBUG, INFO, WARN, ERROR or FATAL",
                });
            }
        };
        let targets = env.text("RUST_LOG").map(|targets| targets.parse());
        Ok(LogConfig {
            level,
            targets: targets.transpose().map_err(|_| ConfigError::Invalid {
                name: "RUST_LOG",
                expected: "levels by target, such as info,shared=debug",
            })?,
            function: env.text("AWS_LAMBDA_FUNCTION_NAME"),
        })
    }
}

/// What is logged by default.
impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig {
            level: LevelFilter::INFO,
            targets: None,
            function: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_level_is_one_of_lambdas_words() {
        let read = |name: &'static str, text: &'static str| {
            let env = Environment::from(move |asked| (asked == name).then(|| text.to_owned()));
            LogConfig::read(&env)
        };
        let level = |text| read("AWS_LAMBDA_LOG_LEVEL", text).map(|config| config.level);
        assert_eq!(level(""), Ok(LevelFilter::INFO));
        assert_eq!(level("debug"), Ok(LevelFilter::DEBUG));
        assert_eq!(level("FATAL"), Ok(LevelFilter::OFF));
        for wrong in ["LOUD", "5", "INFO,shared=debug"] {
            let said = level(wrong).unwrap_err().to_string();
            assert!(
                said.starts_with("AWS_LAMBDA_LOG_LEVEL: expected TRACE"),
                "{said}"
            );
        }
        assert!(read("RUST_LOG", "info,shared=debug").is_ok());
        assert!(read("RUST_LOG", "shared=LOUD").is_err());
    }
}
