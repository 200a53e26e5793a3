//! Every function, constructed the way its `main` constructs it.

use std::sync::Arc;
use std::time::Duration;

use drain::Drain;
use shared::clock::Clock;
use shared::config::{
    AuthConfig, CacheConfig, ConfigError, DiscordConfig, DrainConfig, HttpConfig, MetricsConfig,
    QueueConfig, RedisConfig, Settings, WakerConfig,
};
use shared::http::AnyApp;
use shared::metrics::Sink;
use shared::openapi::Operation;
use shared::queue::{Queue, SCAN};
use shared::start::{Start, StartError};

/// Settings shared by all functions.
#[derive(Clone)]
pub struct FunctionsConfig {
    pub redis: RedisConfig,
    /// A separate database for the cache, if configured.
    pub cache: Option<RedisConfig>,
    pub auth: AuthConfig,
    pub http: HttpConfig,
    pub queue: QueueConfig,
    pub drain: DrainConfig,
    pub discord: DiscordConfig,
    /// URL at which drainers are invoked. With `None`, jobs wait for the schedule.
    pub invoke_url: Option<String>,
    /// Redis commands that the plan includes each month.
    pub command_budget: u64,
    /// Where metrics are written; `None` discards them.
    pub metrics: Option<Sink>,
}

/// All functions in one process.
#[derive(Clone)]
pub struct Functions {
    pub apps: Vec<Function>,
    pub drain: Arc<Drain>,
    pub queue: Queue,
    pub clock: Clock,
    /// Origins whose pages may call the API.
    pub origins: Vec<String>,
}

/// The OpenAPI operations of all functions.
pub fn operations() -> Vec<Operation> {
    [
        enqueue::operations(),
        jobs::operations(),
        scan_stream::operations(),
        scans_current::operations(),
        scan_statuses::operations(),
        clips::operations(),
        health::operations(),
        sessions::operations(),
        uploads::operations(),
        guilds::operations(),
        admin::operations(),
    ]
    .concat()
}

/// A function that serves HTTP routes.
#[derive(Clone)]
pub struct Function {
    pub name: &'static str,
    pub app: Arc<dyn AnyApp>,
}

/// Timeout of a drain, as in `template.yaml`.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(900);

impl Functions {
    /// # Errors
    /// If a setting is invalid.
    pub fn new(config: &FunctionsConfig, clock: &Clock) -> Result<Functions, StartError> {
        let start = Start::new(Box::new(config.clone()), clock.clone())?;
        let apps = vec![
            function("enqueue", enqueue::app(&start)?),
            function("jobs", jobs::app(&start)?),
            function("scan-stream", scan_stream::app(&start)?),
            function("scans-current", scans_current::app(&start)?),
            function("scan-statuses", scan_statuses::app(&start)?),
            function("clips", clips::app(&start)?),
            function("health", health::app(&start)?),
            function("sessions", sessions::app(&start)?),
            function("uploads", uploads::app(&start)?),
            function("guilds", guilds::app(&start)?),
            function("admin", admin::app(&start)?),
        ];
        Ok(Functions {
            apps,
            drain: Arc::new(drain::worker(&start)?),
            queue: start.queue_without_admission(SCAN)?,
            clock: clock.clone(),
            origins: config.http.cors_origins.clone(),
        })
    }
}

impl Settings for FunctionsConfig {
    fn redis(&self) -> Result<RedisConfig, ConfigError> {
        Ok(self.redis.clone())
    }

    fn cache(&self) -> Result<CacheConfig, ConfigError> {
        let redis = self.cache.clone();
        Ok(CacheConfig { redis })
    }

    fn auth(&self) -> Result<AuthConfig, ConfigError> {
        Ok(self.auth.clone())
    }

    fn http(&self) -> Result<HttpConfig, ConfigError> {
        Ok(self.http.clone())
    }

    fn queue(&self) -> Result<QueueConfig, ConfigError> {
        Ok(self.queue.clone())
    }

    fn drain(&self) -> Result<DrainConfig, ConfigError> {
        Ok(self.drain.clone())
    }

    fn discord(&self) -> Result<DiscordConfig, ConfigError> {
        Ok(self.discord.clone())
    }

    fn metrics(&self) -> Result<MetricsConfig, ConfigError> {
        Ok(MetricsConfig {
            is_on: self.metrics.is_some(),
            stage: "dev".to_owned(),
            function: "dev".to_owned(),
            command_budget: self.command_budget,
            ..MetricsConfig::default()
        })
    }

    fn waker(&self) -> WakerConfig {
        WakerConfig {
            function: self.invoke_url.as_ref().map(|_| "drain".to_owned()),
            endpoint: self.invoke_url.clone(),
        }
    }

    fn metrics_sink(&self) -> Option<Sink> {
        self.metrics.clone()
    }
}

fn function(name: &'static str, app: impl AnyApp) -> Function {
    Function {
        name,
        app: Arc::new(app),
    }
}
