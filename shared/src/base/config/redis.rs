//! The settings of the database.

use std::path::PathBuf;

use super::environment::{ConfigError, Environment};
use crate::secret::Secret;

/// The kind of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The hosted service, at an encrypted address.
    Upstash,
    /// The endpoint on this machine.
    Local,
}

impl Provider {
    pub(super) fn read(env: &Environment<'_>) -> Result<Provider, ConfigError> {
        match env.text("REDIS_PROVIDER").as_deref() {
            None | Some("upstash") => Ok(Provider::Upstash),
            Some("local") => Ok(Provider::Local),
            Some(_) => Err(ConfigError::Invalid {
                name: "REDIS_PROVIDER",
                expected: "`upstash` or `local`",
            }),
        }
    }
}

/// The database.
#[derive(Clone)]
pub struct RedisConfig {
    /// The kind of service, from `REDIS_PROVIDER`: `upstash` (the default) or `local`.
    pub provider: Provider,
    /// The REST address, from `UPSTASH_REDIS_REST_URL`.
    pub url: String,
    /// The token, from `UPSTASH_REDIS_REST_TOKEN`.
    pub token: Secret,
    /// The prefix of every key, from `KEY_PREFIX`. Defaults to `trawl:`. Two deployments on
    /// one database must have different prefixes.
    pub key_prefix: String,
    /// A PEM file with roots to trust in addition to the built-in ones, from
    /// `REDIS_CA_FILE`. It is for a database behind a proxy that has its own certificates.
    /// Defaults to none.
    pub ca_file: Option<PathBuf>,
}

impl RedisConfig {
    /// Reads this section.
    ///
    /// # Errors
    /// A variable is missing or wrong.
    pub fn read(env: &Environment<'_>) -> Result<RedisConfig, ConfigError> {
        Ok(RedisConfig {
            provider: Provider::read(env)?,
            url: env.required("UPSTASH_REDIS_REST_URL")?,
            token: env.secret("UPSTASH_REDIS_REST_TOKEN")?,
            key_prefix: RedisConfig::prefix(env),
            ca_file: RedisConfig::roots(env),
        })
    }

    pub(super) fn prefix(env: &Environment<'_>) -> String {
        env.text("KEY_PREFIX").unwrap_or_else(|| "trawl:".into())
    }

    pub(super) fn roots(env: &Environment<'_>) -> Option<PathBuf> {
        env.text("REDIS_CA_FILE").map(PathBuf::from)
    }
}
