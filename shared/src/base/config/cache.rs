//! Where the cache is.

use super::Provider;
use super::environment::{ConfigError, Environment};
use super::redis::RedisConfig;

/// The cache's own database.
#[derive(Clone, Default)]
pub struct CacheConfig {
    /// Address and token from `CACHE_REDIS_REST_URL` and `CACHE_REDIS_REST_TOKEN`, of the
    /// kind `REDIS_PROVIDER` says. Without an address values are kept beside the queue.
    pub redis: Option<RedisConfig>,
}

impl CacheConfig {
    /// # Errors
    /// An address without a token; the variable that is wrong.
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
    fn a_cache_is_apart_when_it_has_an_address_and_then_it_needs_a_token() {
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
