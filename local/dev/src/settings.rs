//! What the development host reads from the environment: the functions' settings,
//! with defaults that need nothing installed.

use anyhow::Context as _;
use shared::config::{
    AuthConfig, CacheConfig, DiscordConfig, DrainConfig, Environment, HttpConfig, MetricsConfig,
    Provider, QueueConfig, RedisConfig,
};

/// The keys of a system that belongs to one machine; printed on start.
const API_KEY: &str = "trawl-development-api-key";
const ADMIN_KEY: &str = "trawl-development-admin-key";

/// The settings; what is `None` is started here.
pub struct Settings {
    pub redis: Option<RedisConfig>,
    pub cache: CacheConfig,
    pub discord: Option<DiscordConfig>,
    pub auth: AuthConfig,
    pub http: HttpConfig,
    pub queue: QueueConfig,
    pub drain: DrainConfig,
    pub metrics: MetricsConfig,
    pub key_prefix: String,
}

impl Settings {
    /// # Errors
    /// The setting that is wrong.
    pub fn read(env: &Environment<'_>) -> anyhow::Result<Settings> {
        let key = |name: &str, default: &str| env.text(name).unwrap_or_else(|| default.to_owned());
        let with_defaults = Environment::from(|name| match name {
            "TRAWL_API_KEY" => Some(key(name, API_KEY)),
            "TRAWL_ADMIN_KEY" => Some(key(name, ADMIN_KEY)),
            _ => env.text(name),
        });
        let redis = match env.text("UPSTASH_REDIS_REST_URL") {
            Some(_) => Some(RedisConfig::read(env)?),
            None => None,
        };
        let discord = match env.text("DISCORD_TOKEN") {
            Some(_) => Some(DiscordConfig::read(env)?),
            None if env.text("DISCORD_API_BASE").is_some() => DiscordConfig::read(env)
                .map(Some)
                .context("DISCORD_API_BASE is set")?,
            None => None,
        };
        Ok(Settings {
            redis,
            cache: CacheConfig::read(env)?,
            discord,
            auth: AuthConfig::read(&with_defaults)?,
            http: HttpConfig::read(env)?,
            metrics: MetricsConfig::read(env)?,
            queue: QueueConfig::read(env)?,
            drain: DrainConfig::read(env)?,
            key_prefix: key("KEY_PREFIX", "trawl:"),
        })
    }

    /// The database served on this machine.
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
