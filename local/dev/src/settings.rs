//! The settings that `dev` reads from the environment. They are the functions' settings,
//! with defaults that need nothing installed.

use std::time::Duration;

use anyhow::Context as _;
use shared::config::{
    AuthConfig, CacheConfig, DiscordConfig, DrainConfig, Environment, HttpConfig, MetricsConfig,
    Provider, QueueConfig, RedisConfig,
};

use crate::keys::Keys;

/// The settings. A service that is `None` is started locally.
pub struct Settings {
    pub redis: Option<RedisConfig>,
    pub cache: CacheConfig,
    pub discord: Option<DiscordConfig>,
    /// Delay between pages of the sample server, if set.
    pub page_interval: Option<Duration>,
    /// Token for the embedded database, if one is set and no other database is
    /// configured.
    pub embedded_token: Option<String>,
    pub http: HttpConfig,
    pub queue: QueueConfig,
    pub drain: DrainConfig,
    pub metrics: MetricsConfig,
    pub key_prefix: String,
}

impl Settings {
    /// # Errors
    /// If a setting is invalid.
    pub fn read(env: &Environment<'_>) -> anyhow::Result<Settings> {
        let redis = match env.text("UPSTASH_REDIS_REST_URL") {
            Some(_) => Some(RedisConfig::read(env)?),
            None => None,
        };
        let discord = match env.text("DISCORD_TOKEN") {
            Some(_) => Some(DiscordConfig::read(env)?),
            None if env.text("DISCORD_API_BASE").is_some() => DiscordConfig::read(env)
                .map(Some)
                .context("DISCORD_API_BASE is set, so DISCORD_TOKEN is required")?,
            None => None,
        };
        Ok(Settings {
            redis,
            cache: CacheConfig::read(env)?,
            discord,
            page_interval: DiscordConfig::page_interval(env)?,
            embedded_token: env
                .text("UPSTASH_REDIS_REST_TOKEN")
                .filter(|_| env.text("UPSTASH_REDIS_REST_URL").is_none()),
            http: HttpConfig::read(env)?,
            metrics: MetricsConfig::read(env)?,
            queue: QueueConfig::read(env)?,
            drain: DrainConfig::read(env)?,
            key_prefix: env
                .text("KEY_PREFIX")
                .unwrap_or_else(|| "trawl:".to_owned()),
        })
    }

    /// The API keys: those from the environment, or else those in the data folder.
    ///
    /// # Errors
    /// If a key is invalid.
    pub fn auth(env: &Environment<'_>, keys: &Keys) -> anyhow::Result<AuthConfig> {
        let with_defaults = Environment::from(|name| match (env.text(name), name) {
            (None, "TRAWL_API_KEY") => Some(keys.api_key.clone()),
            (None, "TRAWL_ADMIN_KEY") => Some(keys.admin_key.clone()),
            (given, _) => given,
        });
        Ok(AuthConfig::read(&with_defaults)?)
    }

    /// The configuration of the database served on this machine.
    pub fn local_redis(&self, url: String, token: String) -> RedisConfig {
        RedisConfig {
            provider: Provider::Local,
            url,
            token: token.into(),
            key_prefix: self.key_prefix.clone(),
            ca_file: None,
        }
    }
}
