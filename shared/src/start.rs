//! How a function is built: from its settings, once per cold start.
//!
//! Every function has one function `app` (the worker: `worker`) that builds it from a
//! [`Start`]. Its `main`, `dev` and the tests all call that, so what is tested is wired as
//! what is deployed.

use std::sync::{Arc, OnceLock};

use crate::cache::Cache;
use crate::clock::Clock;
use crate::config::{ConfigError, Environment, QueueConfig, SecretsConfig, Settings};
use crate::discord::Discord;
use crate::http::{self, App, Auth, Parts, Route, Services};
use crate::metrics::{CommandBudget, Metrics};
use crate::queue::{self, Queue};
use crate::redis::{self, Redis};
use crate::secrets::{self, SecretCache, Ssm};
use crate::telemetry;
use crate::waker::LambdaWake;

/// Why a function stops.
pub type Error = lambda_http::Error;

/// The settings of a function, and the clients they name.
pub struct Start {
    settings: Box<dyn Settings>,
    clock: Clock,
    redis: Redis,
    key_prefix: String,
    services: OnceLock<Arc<Services>>,
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("a setting is missing or wrong")]
    /// Names the setting.
    Config(#[from] ConfigError),
    #[error("the secrets cannot be read")]
    /// SSM Parameter Store lacks one, or cannot be asked.
    Secrets(#[from] secrets::Error),
    #[error("the client of a service cannot be made")]
    /// Its address or token cannot be one.
    Client(#[from] redis::Error),
    #[error("a recurring job is not valid")]
    /// Of the settings; names the job and the field.
    Recurring(#[from] queue::Error),
}

impl Start {
    /// Starts logging and reads the environment of the process, and the secrets it names.
    ///
    /// # Errors
    /// The setting that is missing or wrong, the secret that cannot be read.
    pub async fn from_process() -> Result<Start, StartError> {
        let logs = telemetry::start();
        let started = async {
            logs?;
            let (environment, clock) = (Environment::process(), Clock::system());
            Start::new(Box::new(with_secrets(environment, &clock).await?), clock)
        };
        started.await.inspect_err(log)
    }

    /// With settings from anywhere.
    ///
    /// # Errors
    /// The setting that is missing or wrong.
    pub fn new(settings: Box<dyn Settings>, clock: Clock) -> Result<Start, StartError> {
        let redis = redis::connect(&settings.redis()?, &clock)?;
        Start::with_redis(redis, settings, clock)
    }

    /// As [`Start::new`], with another client than the settings name: one of a provider of
    /// your own, or one that a test watches.
    ///
    /// # Errors
    /// The setting that is missing or wrong.
    pub fn with_redis(
        redis: Redis,
        settings: Box<dyn Settings>,
        clock: Clock,
    ) -> Result<Start, StartError> {
        Ok(Start {
            redis,
            key_prefix: settings.redis()?.key_prefix,
            settings,
            clock,
            services: OnceLock::new(),
        })
    }

    /// The settings, for what only this function has.
    pub fn settings(&self) -> &dyn Settings {
        &*self.settings
    }

    /// The clock of everything.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What every key of this deployment starts with.
    pub fn key_prefix(&self) -> &str {
        &self.key_prefix
    }

    /// A function of routes. `state` is what its handlers share. It has no client of Redis:
    /// a request's [`Context`](http::Context) hands those out. (A test looks for functions
    /// that make one, or keep one, themselves.)
    ///
    /// # Errors
    /// The setting that is missing or wrong.
    pub fn app<S>(&self, state: S, routes: Vec<Route<S>>) -> Result<App<S>, StartError>
    where
        S: Send + Sync + 'static,
    {
        Ok(App::new(self.services()?, state, routes))
    }

    /// The client of Discord.
    ///
    /// # Errors
    /// The setting that is missing or wrong.
    pub fn discord(&self) -> Result<Discord, StartError> {
        Ok(Discord::new(&self.settings.discord()?)?)
    }

    /// What starts a worker, which learns that `source` did it; `None` where the settings
    /// name no worker.
    pub fn wake(&self, source: &str) -> Option<LambdaWake> {
        let config = self.settings.waker();
        let function = config.function?;
        Some(match config.endpoint {
            Some(url) => LambdaWake::at_endpoint(&url, &function, source),
            None => LambdaWake::from_environment(&function, source),
        })
    }

    /// Redis, for the worker, which no caller reaches. In a function of routes it would be a
    /// way around the limits: a test names who may call it.
    pub fn redis_without_admission(&self) -> &Redis {
        &self.redis
    }

    /// The queue `name`, for the worker; see [`Start::redis_without_admission`].
    ///
    /// # Errors
    /// The setting that is wrong.
    pub fn queue_without_admission(&self, name: &str) -> Result<Queue, StartError> {
        let config: QueueConfig = self.settings.queue()?;
        let (redis, clock) = (self.redis.clone(), self.clock.clone());
        Ok(Queue::new(redis, &self.key_prefix, name, clock, config))
    }

    /// The month's commands.
    pub fn budget(&self) -> CommandBudget {
        CommandBudget::new(&self.redis, &self.key_prefix, self.clock.clone())
    }

    /// The metrics of this function.
    ///
    /// # Errors
    /// The setting that is wrong.
    pub fn metrics(&self) -> Result<Metrics, StartError> {
        let config = self.settings.metrics()?;
        let clock = self.clock.clone();
        Ok(match self.settings.metrics_sink() {
            Some(sink) => Metrics::to(sink, config, &self.redis, clock),
            None => Metrics::new(config, &self.redis, clock),
        })
    }

    /// Made once: the functions of one process share them, as the requests of one function
    /// do.
    fn services(&self) -> Result<Arc<Services>, StartError> {
        if let Some(services) = self.services.get() {
            return Ok(services.clone());
        }
        let services = Services::new(Parts {
            redis: self.redis.clone(),
            key_prefix: self.key_prefix.clone(),
            clock: self.clock.clone(),
            auth: Auth::new(self.settings.auth()?),
            http: self.settings.http()?,
            queue: self.settings.queue()?,
            cache: self.cache()?,
            metrics: self.metrics()?,
        });
        Ok(self.services.get_or_init(|| services).clone())
    }

    /// The cache, in its own database if it has one.
    fn cache(&self) -> Result<Cache, StartError> {
        let own = self.settings.cache()?.redis;
        let own = own.map(|config| redis::connect(&config, &self.clock));
        let (prefix, clock) = (&self.key_prefix, self.clock.clone());
        Ok(match own.transpose()? {
            Some(own) => Cache::with_own_database(own, prefix, clock),
            None => Cache::new(self.redis.clone(), prefix, clock),
        })
    }
}

/// Builds a function of routes from the process's environment, and serves it until that
/// ends.
///
/// # Errors
/// When the function cannot start, or the runtime fails.
pub async fn serve<S: Send + Sync + 'static>(
    app: impl FnOnce(&Start) -> Result<App<S>, StartError>,
) -> Result<(), Error> {
    let start = Start::from_process().await?;
    let app = app(&start).inspect_err(log)?;
    http::run(app).await
}

fn log(error: &StartError) {
    tracing::error!(error = telemetry::chain(error), "the function cannot start");
}

/// A function whose secrets are plain asks nobody, and makes no client for it.
async fn with_secrets(
    environment: Environment<'static>,
    clock: &Clock,
) -> Result<Environment<'static>, StartError> {
    let secrets = SecretsConfig::read(&environment)?;
    if secrets.parameters.is_empty() {
        return Ok(environment);
    }
    let ssm = Ssm::from_environment();
    let cache = SecretCache::start(secrets, Box::new(ssm), clock.clone()).await?;
    Ok(environment.with_secrets(move |name| cache.secret(name)))
}
