//! Selects the provider that the settings name.

use std::sync::Arc;

use super::{Error, Redis, Transport, Upstash};
use crate::clock::Clock;
use crate::config::{Provider, RedisConfig};

/// Returns the Redis that `config` describes. Sends nothing yet.
///
/// Both providers speak the REST API. `upstash` is the hosted service and requires an
/// encrypted address. `local` is the endpoint on this machine.
///
/// # Errors
/// [`Error::Settings`] names the setting that is missing or wrong.
pub fn connect(config: &RedisConfig, clock: &Clock) -> Result<Redis, Error> {
    if config.provider == Provider::Upstash && config.url.starts_with("http://") {
        return Err(Error::Settings(
            "UPSTASH_REDIS_REST_URL: the token would travel unencrypted over http://; \
             use https://, or REDIS_PROVIDER=local for an endpoint on this machine"
                .into(),
        ));
    }
    let transport = Transport::new(&config.url, config.token.clone(), config.ca_file.as_deref())?;
    Ok(Arc::new(Upstash::new(transport, clock.clone())))
}
