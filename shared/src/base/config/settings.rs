//! The sections of the settings, whatever their source.

use std::sync::Arc;

use super::{
    AuthConfig, CacheConfig, ConfigError, DiscordConfig, DrainConfig, Environment, HttpConfig,
    MetricsConfig, QueueConfig, RedisConfig, WakerConfig,
};

/// Receives the lines of metrics.
pub type MetricsSink = Arc<dyn Fn(&str) + Send + Sync>;

/// The settings that a function is built from. They come from the environment of its
/// process or, in `dev` and in tests, from the program. A function with routes reads the
/// sections of everything that a [`Context`](crate::http::Context) provides, so that a
/// wrong value stops it when it starts. Discord's section is read only by functions that
/// call Discord.
#[allow(
    clippy::missing_errors_doc,
    reason = "each: the setting that is missing or wrong"
)]
pub trait Settings {
    /// The database.
    fn redis(&self) -> Result<RedisConfig, ConfigError>;
    /// The database for cached values, if they have one of their own.
    fn cache(&self) -> Result<CacheConfig, ConfigError>;
    /// The keys of callers.
    fn auth(&self) -> Result<AuthConfig, ConfigError>;
    /// The requirements that all routes have for their callers.
    fn http(&self) -> Result<HttpConfig, ConfigError>;
    /// The queue.
    fn queue(&self) -> Result<QueueConfig, ConfigError>;
    /// What a drainer handles besides the queue.
    fn drain(&self) -> Result<DrainConfig, ConfigError>;
    /// Discord, or another server with the same API.
    fn discord(&self) -> Result<DiscordConfig, ConfigError>;
    /// Whether metrics are written.
    fn metrics(&self) -> Result<MetricsConfig, ConfigError>;
    /// How a drainer is woken.
    fn waker(&self) -> WakerConfig;

    /// Where metrics are written, if not to standard output.
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
