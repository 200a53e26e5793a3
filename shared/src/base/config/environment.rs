//! Reads settings from the environment, and describes values that cannot be read.

use crate::secret::Secret;

/// A setting is missing or cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// The variable is not set, or is empty.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// The value is not one of the expected ones.
    #[error("{name}: expected {expected}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// The expected values, in words.
        expected: &'static str,
    },
    /// The value is not a number, or is out of range.
    #[error("{name}: expected {what} from {first} to {last}")]
    OutOfRange {
        /// The variable.
        name: &'static str,
        /// What the number counts, in words.
        what: &'static str,
        /// The smallest allowed number.
        first: u64,
        /// The largest allowed number.
        last: u64,
    },
    /// Like [`ConfigError::Invalid`], but the reason depends on the value or on another
    /// setting.
    #[error("{name}: {reason}")]
    Refused {
        /// The variable.
        name: &'static str,
        /// What is wrong with the value.
        reason: String,
    },
}

/// The source of the settings.
pub struct Environment<'a> {
    lookup: Lookup<'a>,
    /// The secrets that are not in variables, by setting.
    secrets: Option<Secrets>,
}

type Secrets = Box<dyn Fn(&str) -> Option<Secret>>;
type Lookup<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

impl<'a> Environment<'a> {
    /// The environment of the process.
    pub fn process() -> Environment<'static> {
        Environment::from(|name| std::env::var(name).ok())
    }

    /// An environment whose variables `lookup` returns.
    pub fn from(lookup: impl Fn(&str) -> Option<String> + 'a) -> Environment<'a> {
        Environment {
            lookup: Box::new(lookup),
            secrets: None,
        }
    }

    /// The same environment, with the secrets that `lookup` knows.
    pub fn with_secrets(
        self,
        lookup: impl Fn(&str) -> Option<Secret> + 'static,
    ) -> Environment<'a> {
        Environment {
            secrets: Some(Box::new(lookup)),
            ..self
        }
    }

    /// Returns a setting as text. An empty value counts as not set.
    pub fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.trim().is_empty())
    }

    /// Returns a required setting as text.
    pub(super) fn required(&self, name: &'static str) -> Result<String, ConfigError> {
        self.text(name).ok_or(ConfigError::Missing(name))
    }

    /// Returns a secret: the value from the secrets' lookup or, failing that, the setting
    /// itself.
    pub(super) fn secret(&self, name: &'static str) -> Result<Secret, ConfigError> {
        match self.secrets.as_ref().and_then(|lookup| lookup(name)) {
            Some(secret) => Ok(secret),
            None => self.required(name).map(|value| value.trim().into()),
        }
    }

    /// Returns a whole number within `range`, or `default` if the setting is not set.
    pub(super) fn number(
        &self,
        name: &'static str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
        what: &'static str,
    ) -> Result<u64, ConfigError> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        let (first, last) = (*range.start(), *range.end());
        text.trim()
            .parse()
            .ok()
            .filter(|number| range.contains(number))
            .ok_or(ConfigError::OutOfRange {
                name,
                what,
                first,
                last,
            })
    }
}
