//! The cache's database.

use super::Provider;
use super::environment::{ConfigError, Environment};
use super::redis::RedisConfig;

/// Which database the cache uses.
#[derive(Clone, Default)]
pub struct CacheConfig {
    /// The address and token of the cache's own database, from `CACHE_REDIS_REST_URL` and
    /// `CACHE_REDIS_REST_TOKEN`. `REDIS_PROVIDER` applies to it too. Defaults to none:
    /// values are then stored in the queue's database.
    pub redis: Option<RedisConfig>,
}

impl CacheConfig {
    /// Reads this section.
    ///
    /// # Errors
    /// An address without a token, or a wrong variable.
    pub fn read(env: &Environment<'_>) -> Result<CacheConfig, ConfigError> {
        let Some(url) = env.text("CACHE_REDIS_REST_URL") else {
            return Ok(CacheConfig::default());
        };
        if !(url.starts_with("https://") || url.starts_with("http://")) {
            return Err(ConfigError::Invalid {
                name: "CACHE_REDIS_REST_URL",
                expected: "an address beginning with https://",
            });
        }
        let redis = RedisConfig {
            provider: Provider::read(env)?,
            url,
            token: env.secret("CACHE_REDIS_REST_TOKEN")?,
            key_prefix: RedisConfig::prefix(env),
            ca_file: RedisConfig::roots(env),
        };
        Ok(CacheConfig { redis: Some(redis) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &'static [(&'static str, &'static str)]) -> Result<CacheConfig, ConfigError> {
        CacheConfig::read(&Environment::from(|name| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        }))
    }

    #[test]
    fn a_cache_with_an_address_has_its_own_database_and_needs_a_token() {
        assert!(read(&[]).unwrap().redis.is_none());
        let own = read(&[
            ("CACHE_REDIS_REST_URL", "https://cache.example"),
            ("CACHE_REDIS_REST_TOKEN", "t"),
        ]);
        let own = own.unwrap();
        assert_eq!(own.redis.unwrap().url, "https://cache.example");
        let error = read(&[("CACHE_REDIS_REST_URL", "cache.example")]).err();
        assert!(
            matches!(error, Some(ConfigError::Invalid { name, .. }) if name == "CACHE_REDIS_REST_URL")
        );
        let error = read(&[("CACHE_REDIS_REST_URL", "https://cache.example")]).err();
        assert_eq!(error, Some(ConfigError::Missing("CACHE_REDIS_REST_TOKEN")));
    }
}
