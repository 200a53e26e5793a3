//! Every function, made as its `main` makes it.

use std::sync::Arc;
use std::time::Duration;

use drain::{Chores, Drain, Environment};
use shared::cache::Cache;
use shared::clock::Clock;
use shared::config::{
    AuthConfig, DiscordConfig, DrainConfig, HttpConfig, MetricsConfig, QueueConfig, RedisConfig,
};
use shared::discord::Discord;
use shared::flags::Flags;
use shared::http::{Auth, Door, Services};
use shared::metrics::{Metrics, Sink};
use shared::openapi::Operation;
use shared::progress::Progress;
use shared::queue::{Queue, SCAN};
use shared::redis;
use shared::scan::ScanStore;
use shared::waker::{BY_DRAIN, BY_ENQUEUE, LambdaWake, Wake, Waker};

/// What the functions are told.
#[derive(Clone)]
pub struct FunctionsConfig {
    pub redis: RedisConfig,
    /// The cache's own database, if it has one.
    pub cache: Option<RedisConfig>,
    pub auth: AuthConfig,
    pub http: HttpConfig,
    pub queue: QueueConfig,
    pub drain: DrainConfig,
    pub discord: DiscordConfig,
    /// Where drainers are invoked; `None` leaves jobs to the schedule.
    pub invoke_url: Option<String>,
    /// Commands the plan allows in a month.
    pub command_budget: u64,
    /// Where metrics go; `None` writes none.
    pub metrics: Option<Sink>,
}

/// The functions, in one process.
#[derive(Clone)]
pub struct Functions {
    pub doors: Vec<Function>,
    pub drain: Arc<Drain>,
    pub queue: Queue,
    pub clock: Clock,
    /// Whose pages may call the routes.
    pub origins: Vec<String>,
}

/// What the routes of all functions take and answer.
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
        guilds::operations(),
        admin::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A function that answers routes.
#[derive(Clone)]
pub struct Function {
    pub name: &'static str,
    pub door: Arc<dyn Door>,
}

/// How long a drain may take, as `template.yaml` grants it.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(900);

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FunctionsError {
    #[error("a client cannot be made")]
    Redis(#[from] redis::Error),
    #[error("a recurring job cannot be one")]
    Recurring(#[from] shared::queue::Error),
}

impl Functions {
    /// # Errors
    /// The setting that cannot be used.
    pub fn new(config: &FunctionsConfig, clock: &Clock) -> Result<Functions, FunctionsError> {
        let redis = redis::connect(&config.redis, clock)?;
        let prefix = &config.redis.key_prefix;
        let queue = Queue::new(
            redis.clone(),
            prefix,
            SCAN,
            clock.clone(),
            config.queue.clone(),
        );
        let services = Services::new(
            redis.clone(),
            prefix,
            Auth::new(config.auth.clone()),
            clock.clone(),
            config.http.clone(),
        );
        let services = match &config.metrics {
            Some(sink) => {
                let on = MetricsConfig {
                    is_on: true,
                    stage: "dev".to_owned(),
                    function: "dev".to_owned(),
                    ..MetricsConfig::default()
                };
                let metrics = Metrics::to(sink.clone(), on, &redis, clock.clone());
                services.with_metrics(metrics)
            }
            None => services,
        };
        let wake = config
            .invoke_url
            .as_deref()
            .map(|url| -> Box<dyn Wake> { Box::new(invoker(url, BY_ENQUEUE)) });
        let helpers = config
            .invoke_url
            .as_deref()
            .map(|url| -> Arc<dyn Wake> { Arc::new(invoker(url, BY_DRAIN)) });
        let waker = Waker::new(wake, clock.clone(), config.queue.linger);
        let discord = Discord::new(&config.discord)?;
        let cache = match &config.cache {
            Some(own) => Cache::apart(redis::connect(own, clock)?, prefix, clock.clone()),
            None => Cache::new(redis.clone(), prefix, clock.clone()),
        };
        let progress = Progress::new(prefix);
        let store = ScanStore::new(redis.clone(), prefix);
        let flags = Flags::new(prefix);
        let doors = vec![
            function(
                "enqueue",
                enqueue::app(
                    services.clone(),
                    queue.clone(),
                    store.clone(),
                    flags.clone(),
                    waker,
                ),
            ),
            function(
                "jobs",
                jobs::app(services.clone(), queue.clone(), progress.clone()),
            ),
            function(
                "scan-stream",
                scan_stream::app(services.clone(), queue.clone(), progress),
            ),
            function(
                "scans-current",
                scans_current::app(services.clone(), queue.clone()),
            ),
            function(
                "scan-statuses",
                scan_statuses::app(services.clone(), queue.clone(), store.clone()),
            ),
            function("clips", clips::app(services.clone(), store.clone())),
            function("health", health::app(services.clone())),
            function("sessions", sessions::app(services.clone())),
            function(
                "guilds",
                guilds::app(services.clone(), discord, cache, store.clone()),
            ),
            function(
                "admin",
                admin::app(
                    services.clone(),
                    vec![queue.clone()],
                    prefix,
                    &config.drain.stream,
                    config.command_budget,
                ),
            ),
        ];
        let chores = Chores::new(&config.drain, clock)?;
        let (metrics, budget) = (services.metrics.clone(), services.budget.clone());
        let environment = Environment::new(queue.clone(), redis, prefix, &config.discord)?;
        Ok(Functions {
            doors,
            drain: Arc::new(Drain::new(
                queue.clone(),
                environment,
                chores,
                helpers,
                metrics,
                budget,
            )),
            queue,
            clock: clock.clone(),
            origins: config.http.cors_origins.clone(),
        })
    }
}

fn invoker(url: &str, source: &str) -> LambdaWake {
    LambdaWake::at_endpoint(url, "drain", source)
}

fn function(name: &'static str, door: impl Door) -> Function {
    Function {
        name,
        door: Arc::new(door),
    }
}
