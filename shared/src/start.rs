//! What every function does first: settings, clock, Redis. Once per cold start.

use crate::cache::Cache;
use crate::clock::Clock;
use crate::config::{
    AuthConfig, CacheConfig, ConfigError, Environment, HttpConfig, MetricsConfig, QueueConfig,
    RedisConfig, SecretsConfig,
};
use crate::http::{Auth, Services};
use crate::metrics::{CommandBudget, Metrics};
use crate::queue::Queue;
use crate::redis::{self, Redis};
use crate::secrets::{self, Keeper, Ssm};
use crate::telemetry;

/// The beginnings of a function.
pub struct Start {
    pub environment: Environment<'static>,
    pub clock: Clock,
    pub redis: Redis,
    pub key_prefix: String,
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("a setting is missing or wrong")]
    Config(#[from] ConfigError),
    #[error("a secret cannot be had")]
    Secrets(#[from] secrets::Error),
    #[error("Redis is not set up")]
    Redis(#[from] redis::Error),
}

impl Start {
    /// Starts logging and reads the process's environment, and the secrets it names.
    ///
    /// # Errors
    /// The setting that is missing or wrong, the parameter that cannot be had.
    pub async fn from_process() -> Result<Start, StartError> {
        let logs = telemetry::start();
        let started = async {
            logs?;
            Start::from(Environment::process(), Clock::system()).await
        };
        started.await.inspect_err(|error| {
            tracing::error!(error = telemetry::chain(error), "the function cannot start");
        })
    }

    async fn from(environment: Environment<'static>, clock: Clock) -> Result<Start, StartError> {
        let secrets = SecretsConfig::read(&environment)?;
        // A function whose secrets are plain asks nobody, and makes no client for it.
        let environment = if secrets.kept.is_empty() {
            environment
        } else {
            let ssm = Ssm::from_environment();
            let keeper = Keeper::start(secrets, Box::new(ssm), clock.clone()).await?;
            environment.with_secrets(move |name| keeper.secret(name))
        };
        let config = RedisConfig::read(&environment)?;
        Ok(Start {
            redis: redis::connect(&config, &clock)?,
            key_prefix: config.key_prefix,
            environment,
            clock,
        })
    }

    /// What the front door needs.
    ///
    /// # Errors
    /// The setting that is missing or wrong.
    pub fn services(&self) -> Result<Services, StartError> {
        Ok(Services::new(
            self.redis.clone(),
            &self.key_prefix,
            Auth::new(AuthConfig::read(&self.environment)?),
            self.clock.clone(),
            HttpConfig::read(&self.environment)?,
        )
        .with_metrics(self.metrics()?))
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
        let config = MetricsConfig::read(&self.environment)?;
        Ok(Metrics::new(config, &self.redis, self.clock.clone()))
    }

    /// The cache, in its own database if it has one.
    ///
    /// # Errors
    /// The setting that is missing or wrong.
    pub fn cache(&self) -> Result<Cache, StartError> {
        let own = CacheConfig::read(&self.environment)?.redis;
        let own = own.map(|config| redis::connect(&config, &self.clock));
        let (prefix, clock) = (&self.key_prefix, self.clock.clone());
        Ok(match own.transpose()? {
            Some(own) => Cache::apart(own, prefix, clock),
            None => Cache::new(self.redis.clone(), prefix, clock),
        })
    }

    /// The queue `name`.
    ///
    /// # Errors
    /// The setting that is wrong.
    pub fn queue(&self, name: &str) -> Result<Queue, StartError> {
        let config = QueueConfig::read(&self.environment)?;
        let (redis, clock) = (self.redis.clone(), self.clock.clone());
        Ok(Queue::new(redis, &self.key_prefix, name, clock, config))
    }
}
