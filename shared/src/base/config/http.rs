//! The settings of the middleware.

use std::time::Duration;

use super::environment::{ConfigError, Environment};

/// The requirements that all routes have for their callers.
#[derive(Clone, Debug, Default)]
pub struct HttpConfig {
    /// The origins whose pages may call, even with a session's cookie, separated by commas,
    /// from `CORS_ORIGINS`. `*` allows every page to call, without cookies. Defaults to
    /// none.
    pub cors_origins: Vec<String>,
    /// How many calls of each kind a caller may make.
    pub limits: LimitsConfig,
}

/// How many calls of each kind a caller may make. Each limit is written as calls and
/// seconds: `RATE_LIMIT_READ=600/60`.
#[derive(Clone, Debug)]
pub struct LimitsConfig {
    /// GET requests, from `RATE_LIMIT_READ`. Defaults to 600 a minute.
    pub read: LimitConfig,
    /// All other calls, from `RATE_LIMIT_API`. Defaults to 60 a minute.
    pub api: LimitConfig,
    /// Jobs for single messages, from `RATE_LIMIT_MESSAGE`. Defaults to 30 a minute.
    pub message: LimitConfig,
    /// Sign-ins, from `RATE_LIMIT_LOGIN`. Defaults to 5 in 15 minutes.
    pub login: LimitConfig,
    /// Exports, from `RATE_LIMIT_EXPORT`. Defaults to 5 an hour.
    pub export: LimitConfig,
    /// Uploads that are begun, from `RATE_LIMIT_UPLOAD`. Defaults to 10 an hour.
    pub upload: LimitConfig,
    /// How long a check in a request of its own may take before its action decides without
    /// Redis. In milliseconds, from `RATE_LIMIT_TIMEOUT_MS`. Defaults to 1000.
    pub patience: Duration,
}

/// A number of calls in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitConfig {
    /// The number of calls, 1 to 1,000,000.
    pub calls: u32,
    /// The time, 1 s to a day.
    pub window: Duration,
}

impl LimitConfig {
    /// Creates a limit of `calls` in `window_secs` seconds.
    pub const fn new(calls: u32, window_secs: u64) -> LimitConfig {
        LimitConfig {
            calls,
            window: Duration::from_secs(window_secs),
        }
    }

    fn parse(text: &str) -> Option<LimitConfig> {
        let (calls, seconds) = text.split_once('/')?;
        let limit = LimitConfig::new(calls.trim().parse().ok()?, seconds.trim().parse().ok()?);
        let is_sound = (1..=1_000_000).contains(&limit.calls)
            && (1..=86_400).contains(&limit.window.as_secs());
        is_sound.then_some(limit)
    }
}

impl Default for LimitsConfig {
    fn default() -> LimitsConfig {
        LimitsConfig {
            read: LimitConfig::new(600, 60),
            api: LimitConfig::new(60, 60),
            message: LimitConfig::new(30, 60),
            login: LimitConfig::new(5, 15 * 60),
            export: LimitConfig::new(5, 3600),
            upload: LimitConfig::new(10, 60 * 60),
            patience: Duration::from_secs(1),
        }
    }
}

impl HttpConfig {
    /// Reads this section.
    ///
    /// # Errors
    /// A variable is wrong.
    pub fn read(env: &Environment<'_>) -> Result<HttpConfig, ConfigError> {
        let origins = env.text("CORS_ORIGINS").unwrap_or_default();
        let origins: Vec<String> = origins
            .split(',')
            .map(|origin| origin.trim().to_owned())
            .filter(|origin| !origin.is_empty())
            .collect();
        if !origins
            .iter()
            .all(|origin| origin == "*" || is_origin(origin))
        {
            return Err(ConfigError::Invalid {
                name: "CORS_ORIGINS",
                expected: "`*`, or origins as browsers write them, separated by commas: \
                           https://clips.example or http://localhost:5173, in small letters and \
                           with nothing after the host and port",
            });
        }
        Ok(HttpConfig {
            cors_origins: origins,
            limits: LimitsConfig::read(env)?,
        })
    }
}

/// Whether a browser would write an origin like this. Any other form would never match.
fn is_origin(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| {
        let origin = url.origin();
        !text.contains('*')
            && ["http", "https"].contains(&url.scheme())
            && origin.ascii_serialization() == text
    })
}

impl LimitsConfig {
    fn read(env: &Environment<'_>) -> Result<LimitsConfig, ConfigError> {
        let default = LimitsConfig::default();
        let limit = |name: &'static str, default: LimitConfig| {
            let Some(text) = env.text(name) else {
                return Ok(default);
            };
            LimitConfig::parse(&text).ok_or(ConfigError::Invalid {
                name,
                expected: "calls/seconds, such as 600/60; at most 1000000/86400",
            })
        };
        Ok(LimitsConfig {
            read: limit("RATE_LIMIT_READ", default.read)?,
            api: limit("RATE_LIMIT_API", default.api)?,
            message: limit("RATE_LIMIT_MESSAGE", default.message)?,
            login: limit("RATE_LIMIT_LOGIN", default.login)?,
            export: limit("RATE_LIMIT_EXPORT", default.export)?,
            upload: limit("RATE_LIMIT_UPLOAD", default.upload)?,
            patience: Duration::from_millis(env.number(
                "RATE_LIMIT_TIMEOUT_MS",
                1000,
                50..=10_000,
                "milliseconds",
            )?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        let read = |text: &str| {
            let name = |name: &str| (name == "CORS_ORIGINS").then(|| text.to_owned());
            HttpConfig::read(&Environment::from(name)).map(|config| config.cors_origins)
        };
        assert_eq!(read(""), Ok(Vec::new()));
        let several = read(" https://clips.example , http://localhost:5173,*").unwrap();
        assert_eq!(
            several,
            ["https://clips.example", "http://localhost:5173", "*"]
        );
        for wrong in [
            "foo",
            "https://a.example/",
            "https://a.example/path",
            "https://A.example",
            "https://a.example:443",
            "https://user@a.example",
            "https://*.a.example",
            "ftp://a.example",
            "null",
            "https://a.example,foo",
        ] {
            let said = read(wrong).unwrap_err().to_string();
            assert!(
                said.starts_with("CORS_ORIGINS: expected"),
                "{wrong}: {said}"
            );
        }
    }

    #[test]
    fn a_limit_is_set_as_calls_and_seconds() {
        let read = |text: &str| {
            let name = |name: &str| (name == "RATE_LIMIT_LOGIN").then(|| text.to_owned());
            LimitsConfig::read(&Environment::from(name)).map(|limits| limits.login)
        };
        assert_eq!(read(""), Ok(LimitConfig::new(5, 900)));
        assert_eq!(read("3/60"), Ok(LimitConfig::new(3, 60)));
        for wrong in ["3", "0/60", "3/0", "3/86401", "-1/60", "3/60/1"] {
            assert!(
                matches!(
                    read(wrong),
                    Err(ConfigError::Invalid {
                        name: "RATE_LIMIT_LOGIN",
                        ..
                    })
                ),
                "{wrong}"
            );
        }
    }
}
