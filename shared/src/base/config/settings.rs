//! The sections of settings, wherever they come from.

use std::sync::Arc;

use super::{
    AuthConfig, CacheConfig, ConfigError, DiscordConfig, DrainConfig, Environment, HttpConfig,
    MetricsConfig, QueueConfig, RedisConfig, WakerConfig,
};

/// Takes the lines of metrics.
pub type MetricsSink = Arc<dyn Fn(&str) + Send + Sync>;

/// What a function is built from: the environment of its process, or, in `dev` and in
/// tests, values made by the program. A function reads only the sections it needs, so one
/// without Discord needs no Discord token.
#[allow(
    clippy::missing_errors_doc,
    reason = "each: the setting that is missing or wrong"
)]
pub trait Settings {
    fn redis(&self) -> Result<RedisConfig, ConfigError>;
    fn cache(&self) -> Result<CacheConfig, ConfigError>;
    fn auth(&self) -> Result<AuthConfig, ConfigError>;
    fn http(&self) -> Result<HttpConfig, ConfigError>;
    fn queue(&self) -> Result<QueueConfig, ConfigError>;
    fn drain(&self) -> Result<DrainConfig, ConfigError>;
    fn discord(&self) -> Result<DiscordConfig, ConfigError>;
    fn metrics(&self) -> Result<MetricsConfig, ConfigError>;
    fn waker(&self) -> WakerConfig;

    /// Where metrics are written, when not to standard output.
    fn metrics_sink(&self) -> Option<MetricsSink> {
        None
    }
}

impl Settings for Environment<'_> {
    fn redis(&self) -> Result<RedisConfig, ConfigError> {
        RedisConfig::read(self)
    }

    fn cache(&self) -> Result<CacheConfig, ConfigError> {
        CacheConfig::read(self)
    }

    fn auth(&self) -> Result<AuthConfig, ConfigError> {
        AuthConfig::read(self)
    }

    fn http(&self) -> Result<HttpConfig, ConfigError> {
        HttpConfig::read(self)
    }

    fn queue(&self) -> Result<QueueConfig, ConfigError> {
        QueueConfig::read(self)
    }

    fn drain(&self) -> Result<DrainConfig, ConfigError> {
        DrainConfig::read(self)
    }

    fn discord(&self) -> Result<DiscordConfig, ConfigError> {
        DiscordConfig::read(self)
    }

    fn metrics(&self) -> Result<MetricsConfig, ConfigError> {
        MetricsConfig::read(self)
    }

    fn waker(&self) -> WakerConfig {
        WakerConfig::read(self)
    }
}
