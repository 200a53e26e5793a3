//! Which settings are secrets, and where they are stored.

use std::time::Duration;

use super::environment::{ConfigError, Environment};

/// Every setting that is a secret, and the variable that names the SSM parameter (a
/// SecureString) with its value. Deployed functions set the second, and development sets
/// the first.
const SECRETS: [(&str, &str); 5] = [
    (
        "UPSTASH_REDIS_REST_TOKEN",
        "UPSTASH_REDIS_REST_TOKEN_PARAMETER",
    ),
    ("CACHE_REDIS_REST_TOKEN", "CACHE_REDIS_REST_TOKEN_PARAMETER"),
    ("TRAWL_API_KEY", "TRAWL_API_KEY_PARAMETER"),
    ("TRAWL_ADMIN_KEY", "TRAWL_ADMIN_KEY_PARAMETER"),
    ("DISCORD_TOKEN", "DISCORD_TOKEN_PARAMETER"),
];

/// The smallest length of a caller's key, in bytes.
const SHORTEST_KEY: usize = 16;

/// The secrets that are stored as SSM parameters.
#[derive(Clone, Debug)]
pub struct SecretsConfig {
    /// The settings that name a parameter instead of a value.
    pub parameters: Vec<SecretParameter>,
    /// How old values may become before they are read again. An environment may accept a
    /// replaced key for that long. In milliseconds, from `SECRETS_MAX_AGE_MS`. Defaults to
    /// 300000; 60000 to 86400000.
    pub max_age: Duration,
    /// How long an invocation waits for values that it could do without. In milliseconds,
    /// from `SECRETS_PATIENCE_MS`. Defaults to 1000; 100 to 5000.
    pub patience: Duration,
}

/// A setting, and the parameter that holds its value.
#[derive(Clone, Debug)]
pub struct SecretParameter {
    /// The variable for the plain value.
    pub setting: &'static str,
    /// The name of the parameter.
    pub parameter: String,
}

impl SecretsConfig {
    /// Reads this section.
    ///
    /// # Errors
    /// A setting has both a value and a parameter, or a variable is wrong.
    pub fn read(env: &Environment<'_>) -> Result<SecretsConfig, ConfigError> {
        let mut parameters = Vec::new();
        for (setting, variable) in SECRETS {
            let Some(parameter) = env.text(variable) else {
                continue;
            };
            if env.text(setting).is_some() {
                return Err(ConfigError::Invalid {
                    name: setting,
                    expected: "either this or the name of a parameter, not both",
                });
            }
            let parameter = parameter.trim().to_owned();
            parameters.push(SecretParameter { setting, parameter });
        }
        let ms = |name, default, range| {
            let number = env.number(name, default, range, "milliseconds");
            number.map(Duration::from_millis)
        };
        let (ages, waits) = (60_000..=86_400_000, 100..=5000);
        Ok(SecretsConfig {
            parameters,
            max_age: ms("SECRETS_MAX_AGE_MS", 300_000, ages)?,
            patience: ms("SECRETS_PATIENCE_MS", 1000, waits)?,
        })
    }

    /// Checks that `values` are valid for [`SecretsConfig::parameters`].
    ///
    /// # Errors
    /// The setting whose value is invalid.
    pub(crate) fn check(&self, values: &[&str]) -> Result<(), ConfigError> {
        for (secret, value) in self.parameters.iter().zip(values) {
            let name = secret.setting;
            if is_key(name) {
                check_key(name, value)?;
            } else if value.is_empty() || !value.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
            {
                let expected = "visible characters";
                return Err(ConfigError::Invalid { name, expected });
            }
        }
        let keys = self
            .parameters
            .iter()
            .zip(values)
            .filter(|(secret, _)| is_key(secret.setting));
        match keys.map(|(_, value)| *value).collect::<Vec<_>>()[..] {
            [api, admin] => check_difference(api, admin),
            _ => Ok(()),
        }
    }
}

fn is_key(setting: &str) -> bool {
    setting.starts_with("TRAWL_")
}

/// Checks that `key` is valid as a caller's key.
pub(super) fn check_key(name: &'static str, key: &str) -> Result<(), ConfigError> {
    if key.len() < SHORTEST_KEY {
        let expected = "at least 16 characters";
        return Err(ConfigError::Invalid { name, expected });
    }
    Ok(())
}

pub(super) fn check_difference(api_key: &str, admin_key: &str) -> Result<(), ConfigError> {
    if api_key == admin_key {
        return Err(ConfigError::Invalid {
            name: "TRAWL_ADMIN_KEY",
            expected: "another key than TRAWL_API_KEY",
        });
    }
    Ok(())
}
