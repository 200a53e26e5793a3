//! All settings. No other module reads the environment.
//!
//! A function reads the sections it needs, once per cold start. A missing or invalid value
//! is an error that names the variable. Secrets have no defaults. Each section is a file of
//! this module, and each field documents its variable, unit, default and range.

mod auth;
mod aws;
mod cache;
mod discord;
mod drain;
mod environment;
mod http;
mod log;
mod metrics;
mod queue;
mod redis;
mod secrets;
mod settings;

pub use auth::AuthConfig;
pub use aws::{AwsConfig, WakerConfig};
pub use cache::CacheConfig;
pub use discord::DiscordConfig;
pub use drain::{DrainConfig, MissedSetting, RecurringSetting};
pub use environment::{ConfigError, Environment};
pub use http::{HttpConfig, LimitConfig, LimitsConfig};
pub use log::LogConfig;
pub use metrics::MetricsConfig;
pub use queue::{QueueConfig, Rate};
pub use redis::{Provider, RedisConfig};
pub use secrets::{SecretParameter, SecretsConfig};
pub use settings::{MetricsSink, Settings};

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn env(pairs: &'static [(&'static str, &'static str)]) -> Environment<'static> {
        Environment::from(|name| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_missing_setting_is_named() {
        let error = RedisConfig::read(&env(&[])).err();
        assert_eq!(error, Some(ConfigError::Missing("UPSTASH_REDIS_REST_URL")));
    }

    #[test]
    fn the_error_for_a_wrong_setting_names_it_and_what_is_expected() {
        let error = QueueConfig::read(&env(&[("QUEUE_LEASE_MS", "soon")])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "QUEUE_LEASE_MS: expected milliseconds from 15000 to 900000"
        );
        let error = AuthConfig::read(&env(&[("TRAWL_API_KEY", "short")])).err();
        assert_eq!(
            error.map(|e| e.to_string()).as_deref(),
            Some("TRAWL_API_KEY: expected at least 16 characters")
        );
    }

    #[test]
    fn a_secret_is_either_a_value_or_a_parameter() {
        let both = env(&[
            ("TRAWL_API_KEY", "a-development-key"),
            ("TRAWL_API_KEY_PARAMETER", "/trawl/api-key"),
        ]);
        let error = SecretsConfig::read(&both).unwrap_err().to_string();
        assert!(
            error.starts_with("TRAWL_API_KEY: expected either"),
            "{error}"
        );
        let named = env(&[("DISCORD_TOKEN_PARAMETER", " /trawl/token ")]);
        let config = SecretsConfig::read(&named).unwrap();
        assert_eq!(config.parameters.len(), 1);
        assert_eq!(config.parameters[0].parameter, "/trawl/token");
        assert_eq!(config.max_age, Duration::from_secs(300));
    }
}
