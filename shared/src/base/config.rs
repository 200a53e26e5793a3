//! Every setting, and the only reader of the environment.
//!
//! A function reads the sections it needs, once per cold start. What is missing or
//! wrong is an error that names the variable; there is no default for a secret.

mod cache;
mod drain;
mod http;
mod log;
mod metrics;
mod queue;
mod secrets;
mod settings;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;

pub use cache::CacheConfig;
pub use drain::{DrainConfig, MissedSetting, RecurringSetting};
pub use http::{HttpConfig, LimitConfig, LimitsConfig};
pub use log::LogConfig;
pub use metrics::MetricsConfig;
pub use queue::{QueueConfig, Rate};
pub use secrets::{KeptSecret, SecretsConfig};
pub use settings::{MetricsSink, Settings};

/// A setting that is missing or cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    #[error("{0} is not set")]
    Missing(&'static str),
    #[error("{name}: expected {expected}")]
    Invalid {
        name: &'static str,
        expected: &'static str,
    },
    /// As [`ConfigError::Invalid`], where what is wrong depends on the value, or on another
    /// setting.
    #[error("{name}: {reason}")]
    Refused { name: &'static str, reason: String },
}

/// Where settings are read from.
pub struct Environment<'a> {
    lookup: Lookup<'a>,
    /// The secrets that somebody keeps, by their setting.
    kept: Option<Kept>,
}

type Kept = Box<dyn Fn(&str) -> Option<Secret>>;
type Lookup<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

impl<'a> Environment<'a> {
    /// The process's own.
    pub fn process() -> Environment<'static> {
        Environment::from(|name| std::env::var(name).ok())
    }

    /// One that `lookup` answers.
    pub fn from(lookup: impl Fn(&str) -> Option<String> + 'a) -> Environment<'a> {
        Environment {
            lookup: Box::new(lookup),
            kept: None,
        }
    }

    /// The same, with the secrets that `kept` knows.
    pub fn with_secrets(self, kept: impl Fn(&str) -> Option<Secret> + 'static) -> Environment<'a> {
        Environment {
            kept: Some(Box::new(kept)),
            ..self
        }
    }

    /// A setting as text; one that is set to nothing counts as not set.
    pub fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.trim().is_empty())
    }

    fn required(&self, name: &'static str) -> Result<String, ConfigError> {
        self.text(name).ok_or(ConfigError::Missing(name))
    }

    fn secret(&self, name: &'static str) -> Result<Secret, ConfigError> {
        match self.kept.as_ref().and_then(|kept| kept(name)) {
            Some(secret) => Ok(secret),
            None => self.required(name).map(|value| value.trim().into()),
        }
    }

    fn number(
        &self,
        name: &'static str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
        expected: &'static str,
    ) -> Result<u64, ConfigError> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        text.trim()
            .parse()
            .ok()
            .filter(|number| range.contains(number))
            .ok_or(ConfigError::Invalid { name, expected })
    }
}

/// Which kind of service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The hosted service, over an encrypted address.
    Upstash,
    /// The endpoint on this machine.
    Local,
}

impl Provider {
    fn read(env: &Environment<'_>) -> Result<Provider, ConfigError> {
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
    /// From `REDIS_PROVIDER`: `upstash` (the default) or `local`.
    pub provider: Provider,
    /// The REST address, from `UPSTASH_REDIS_REST_URL`.
    pub url: String,
    /// The right to use it, from `UPSTASH_REDIS_REST_TOKEN`.
    pub token: Secret,
    /// What every key starts with, from `KEY_PREFIX`. Defaults to `trawl:`. Two
    /// deployments on one database must differ in it.
    pub key_prefix: String,
    /// A PEM file of roots to trust besides those compiled in, from `REDIS_CA_FILE`:
    /// for a database behind a proxy that shows certificates of its own. Defaults to
    /// none.
    pub ca_file: Option<PathBuf>,
}

impl RedisConfig {
    /// # Errors
    /// The variable that is missing or wrong.
    pub fn read(env: &Environment<'_>) -> Result<RedisConfig, ConfigError> {
        Ok(RedisConfig {
            provider: Provider::read(env)?,
            url: env.required("UPSTASH_REDIS_REST_URL")?,
            token: env.secret("UPSTASH_REDIS_REST_TOKEN")?,
            key_prefix: RedisConfig::prefix(env),
            ca_file: RedisConfig::roots(env),
        })
    }

    fn prefix(env: &Environment<'_>) -> String {
        env.text("KEY_PREFIX").unwrap_or_else(|| "trawl:".into())
    }

    fn roots(env: &Environment<'_>) -> Option<PathBuf> {
        env.text("REDIS_CA_FILE").map(PathBuf::from)
    }
}

/// The keys callers sign with.
#[derive(Clone)]
pub struct AuthConfig {
    /// May use the routes, from `TRAWL_API_KEY`.
    pub api_key: Secret,
    /// May also use the admin routes, from `TRAWL_ADMIN_KEY`.
    pub admin_key: Secret,
}

impl AuthConfig {
    /// # Errors
    /// A missing key, one shorter than 16 characters, or twice the same.
    pub fn read(env: &Environment<'_>) -> Result<AuthConfig, ConfigError> {
        let key = |name: &'static str| {
            let key = env.secret(name)?;
            secrets::check_key(name, &key.value())?;
            Ok(key)
        };
        let config = AuthConfig {
            api_key: key("TRAWL_API_KEY")?,
            admin_key: key("TRAWL_ADMIN_KEY")?,
        };
        secrets::check_difference(&config.api_key.value(), &config.admin_key.value())?;
        Ok(config)
    }
}

/// Discord, or a server that speaks its API.
#[derive(Clone)]
pub struct DiscordConfig {
    /// The bot's token, from `DISCORD_TOKEN`. Only a bot's: Discord's terms forbid
    /// user tokens here; with or without the word `Bot` before it.
    pub token: Secret,
    /// The address up to, but without, `/channels`, from `DISCORD_API_BASE`.
    /// Defaults to Discord's version 10.
    pub api_base: String,
    /// The shortest time between two pages of one channel, in milliseconds, from
    /// `DISCORD_PAGE_INTERVAL_MS`. Defaults to 1000, what Discord grants.
    pub page_interval: Duration,
}

impl DiscordConfig {
    /// # Errors
    /// The variable that is missing or wrong.
    pub fn read(env: &Environment<'_>) -> Result<DiscordConfig, ConfigError> {
        let api_base = env
            .text("DISCORD_API_BASE")
            .unwrap_or_else(|| "https://discord.com/api/v10".into());
        if !keeps_secret(&api_base) {
            return Err(ConfigError::Invalid {
                name: "DISCORD_API_BASE",
                expected: "an address beginning with https:// and ending before /channels; the \
                           token is sent over http:// to this machine alone",
            });
        }
        Ok(DiscordConfig {
            token: env.secret("DISCORD_TOKEN")?,
            api_base: api_base.trim_end_matches('/').to_owned(),
            page_interval: DiscordConfig::page_interval(env)?.unwrap_or(Duration::from_secs(1)),
        })
    }

    /// The shortest time between two pages, if one is set.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn page_interval(env: &Environment<'_>) -> Result<Option<Duration>, ConfigError> {
        let name = "DISCORD_PAGE_INTERVAL_MS";
        if env.text(name).is_none() {
            return Ok(None);
        }
        let expected = "milliseconds from 0 to 60000";
        let ms = env.number(name, 0, 0..=60_000, expected)?;
        Ok(Some(Duration::from_millis(ms)))
    }
}

/// What a container calls the machine it runs on; no domain of that name can be had.
const OWN_MACHINE: &str = "host.docker.internal";

/// Whether a token may be sent to an address: over TLS anywhere, without it to this machine.
fn keeps_secret(address: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(address) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let is_here = match ip {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost") || host == OWN_MACHINE,
    };
    // What stands before an `@` would be sent as a password.
    let is_plain = url.username().is_empty() && url.password().is_none();
    is_plain && !host.is_empty() && (url.scheme() == "https" || url.scheme() == "http" && is_here)
}

/// How `enqueue`, and a drainer with too much to do, wake a drainer.
#[derive(Clone, Debug)]
pub struct WakerConfig {
    /// The function to invoke, from `DRAIN_FUNCTION`. Not set: jobs wait for the
    /// schedule, up to a minute.
    pub function: Option<String>,
    /// Where it is invoked, when not at AWS; that endpoint asks for no credentials. Only set
    /// by programs: in the environment it is `AWS_ENDPOINT_URL_LAMBDA`.
    pub endpoint: Option<String>,
}

impl WakerConfig {
    pub fn read(env: &Environment<'_>) -> WakerConfig {
        WakerConfig {
            function: env.text("DRAIN_FUNCTION"),
            endpoint: None,
        }
    }
}

/// How a service of AWS is called. Credentials are read by the SDK, from the variables
/// Lambda sets.
#[derive(Clone, Debug)]
pub struct AwsConfig {
    /// From `AWS_REGION`, which Lambda sets.
    pub region: Option<String>,
    /// Another address than the service's own, from `AWS_ENDPOINT_URL_SSM` or the like,
    /// or from `AWS_ENDPOINT_URL` for all of them.
    pub endpoint_url: Option<String>,
}

impl AwsConfig {
    pub fn read(env: &Environment<'_>, service: &str) -> AwsConfig {
        let own = env.text(&format!("AWS_ENDPOINT_URL_{service}"));
        AwsConfig {
            region: env.text("AWS_REGION"),
            endpoint_url: own.or_else(|| env.text("AWS_ENDPOINT_URL")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &'static [(&'static str, &'static str)]) -> Environment<'static> {
        Environment::from(|name| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_missing_setting_is_named() {
        let error = RedisConfig::read(&env(&[])).err();
        assert_eq!(error, Some(ConfigError::Missing("UPSTASH_REDIS_REST_URL")));
    }

    #[test]
    fn a_wrong_setting_is_named_with_what_it_may_be() {
        let error = QueueConfig::read(&env(&[("QUEUE_LEASE_MS", "soon")])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "QUEUE_LEASE_MS: expected milliseconds from 15000 to 900000"
        );
        let error = AuthConfig::read(&env(&[("TRAWL_API_KEY", "short")])).err();
        assert_eq!(
            error.map(|e| e.to_string()).as_deref(),
            Some("TRAWL_API_KEY: expected at least 16 characters")
        );
    }

    #[test]
    fn a_token_leaves_this_machine_over_tls_alone() {
        for address in [
            "https://discord.com/api/v10",
            "http://127.0.0.1:8078/api/v10",
            "http://[::1]:8078/api/v10",
            "http://localhost:8078/api/v10",
            "http://host.docker.internal:8078/api/v10",
        ] {
            assert!(keeps_secret(address), "{address}");
        }
        for address in [
            "http://discord.com/api/v10",
            "http://10.0.0.1/api/v10",
            "http://172.17.0.1:8078/api/v10",
            "http://localhost.evil.example/api",
            "http://127.0.0.1.evil.example/api",
            "http://127.0.0.1@evil.example/api",
            "http://localhost:x@evil.example/api",
            "http://0.0.0.0/api",
            "ftp://discord.com/api",
            "discord.com/api",
            "https://",
            "",
        ] {
            assert!(!keeps_secret(address), "{address}");
        }
    }

    #[test]
    fn a_secret_is_told_in_one_way() {
        let both = env(&[
            ("TRAWL_API_KEY", "a-development-key"),
            ("TRAWL_API_KEY_PARAMETER", "/trawl/api-key"),
        ]);
        let error = SecretsConfig::read(&both).unwrap_err().to_string();
        assert!(
            error.starts_with("TRAWL_API_KEY: expected either"),
            "{error}"
        );
        let named = env(&[("DISCORD_TOKEN_PARAMETER", " /trawl/token ")]);
        let config = SecretsConfig::read(&named).unwrap();
        assert_eq!(config.kept.len(), 1);
        assert_eq!(config.kept[0].parameter, "/trawl/token");
        assert_eq!(config.max_age, Duration::from_secs(300));
    }
}
