//! Builds a function from its settings, once per cold start.
//!
//! Every function has a function `app` (the worker: `worker`) that builds it from a
//! [`Start`]. Its `main`, `dev` and the tests all call it, so the tests run the same wiring
//! as the deployment.

use std::sync::{Arc, OnceLock};

use crate::cache::Cache;
use crate::clock::Clock;
use crate::config::{ConfigError, Environment, SecretsConfig, Settings};
use crate::discord::Discord;
use crate::http::{self, App, Auth, Parts, Route, Services};
use crate::metrics::{CommandBudget, Metrics};
use crate::queue::{self, CLIP, Queue};
use crate::redis::{self, Redis};
use crate::secrets::{self, SecretCache, Ssm};
use crate::telemetry;
use crate::waker::LambdaWake;

/// An error that stops a function.
pub type Error = lambda_http::Error;

/// The settings of a function, and the clients they describe.
pub struct Start {
    settings: Box<dyn Settings>,
    clock: Clock,
    redis: Redis,
    key_prefix: String,
    services: OnceLock<Arc<Services>>,
}

/// A function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("a setting is missing or wrong")]
    /// A setting is missing or wrong. The error names it.
    Config(#[from] ConfigError),
    #[error("the secrets cannot be read")]
    /// SSM Parameter Store lacks a secret, or could not be asked.
    Secrets(#[from] secrets::Error),
    #[error("a service's client cannot be created")]
    /// The address or the token of a service is invalid.
    Client(#[from] redis::Error),
    #[error("a recurring job is invalid")]
    /// A recurring job in the settings is invalid. The error names the job and the field.
    Recurring(#[from] queue::Error),
}

impl Start {
    /// Starts logging, and reads the environment of the process and the secrets that it
    /// names.
    ///
    /// # Errors
    /// A setting is missing or wrong, or a secret cannot be read.
    pub async fn from_process() -> Result<Start, StartError> {
        let logs = telemetry::start();
        let started = async {
            logs?;
            let (environment, clock) = (Environment::process(), Clock::system());
            Start::new(Box::new(with_secrets(environment, &clock).await?), clock)
        };
        started.await.inspect_err(log)
    }

    /// Creates a start with settings from any source.
    ///
    /// # Errors
    /// A setting is missing or wrong.
    pub fn new(settings: Box<dyn Settings>, clock: Clock) -> Result<Start, StartError> {
        let redis = redis::connect(&settings.redis()?, &clock)?;
        Start::with_redis(redis, settings, clock)
    }

    /// Like [`Start::new`], but with a Redis client other than the one that the settings
    /// describe: a provider of your own, or one that a test watches.
    ///
    /// # Errors
    /// A setting is missing or wrong.
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

    /// The settings, for sections that only this function has.
    pub fn settings(&self) -> &dyn Settings {
        &*self.settings
    }

    /// The clock that everything uses.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The prefix of every key in this deployment.
    pub fn key_prefix(&self) -> &str {
        &self.key_prefix
    }

    /// Builds a function with routes. Its handlers share `state`, which must not contain a
    /// Redis client: a request's [`Context`](http::Context) provides the clients. (A test
    /// fails if a function creates or keeps one itself.)
    ///
    /// # Errors
    /// A setting is missing or wrong.
    pub fn app<S>(&self, state: S, routes: Vec<Route<S>>) -> Result<App<S>, StartError>
    where
        S: Send + Sync + 'static,
    {
        Ok(App::new(self.services()?, state, routes))
    }

    /// Returns the Discord client.
    ///
    /// # Errors
    /// A setting is missing or wrong.
    pub fn discord(&self) -> Result<Discord, StartError> {
        Ok(Discord::new(&self.settings.discord()?)?)
    }

    /// Returns what starts a worker and tells it that `source` did so. `None` if the
    /// settings name no worker.
    pub fn wake(&self, source: &str) -> Option<LambdaWake> {
        let config = self.settings.waker();
        let function = config.function?;
        Some(match config.endpoint {
            Some(url) => LambdaWake::at_endpoint(&url, &function, source),
            None => LambdaWake::from_environment(&function, source),
        })
    }

    /// Returns the Redis client for the worker, which no caller can reach. In a function
    /// with routes it would bypass the limits, so a test lists who may call this.
    pub fn redis_without_admission(&self) -> &Redis {
        &self.redis
    }

    /// Returns the queue `name` for the worker; see [`Start::redis_without_admission`].
    ///
    /// # Errors
    /// A setting is wrong.
    pub fn queue_without_admission(&self, name: &str) -> Result<Queue, StartError> {
        let config = self.settings.queue()?;
        let config = match name {
            CLIP => config.for_clips(),
            _ => config,
        };
        let (redis, clock) = (self.redis.clone(), self.clock.clone());
        Ok(Queue::new(redis, &self.key_prefix, name, clock, config))
    }

    /// Returns the count of the month's commands.
    pub fn budget(&self) -> CommandBudget {
        CommandBudget::new(&self.redis, &self.key_prefix, self.clock.clone())
    }

    /// Returns the metrics of this function.
    ///
    /// # Errors
    /// A setting is wrong.
    pub fn metrics(&self) -> Result<Metrics, StartError> {
        let config = self.settings.metrics()?;
        let clock = self.clock.clone();
        Ok(match self.settings.metrics_sink() {
            Some(sink) => Metrics::to(sink, config, &self.redis, clock),
            None => Metrics::new(config, &self.redis, clock),
        })
    }

    /// Created once. The functions in one process share the services, as the requests of
    /// one function do.
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

    /// Returns the cache, in its own database if it has one.
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

/// Builds a function with routes from the environment of the process, and serves it until
/// the process ends.
///
/// # Errors
/// The function cannot start, or the runtime failed.
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

/// A function with plain secrets makes no call and needs no client for it.
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
