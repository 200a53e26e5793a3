//! Where settings come from, and what is said of one that cannot be read.

use crate::secret::Secret;

/// A setting that is missing or cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// There is no such variable, or it is empty.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// The value is not one of those expected.
    #[error("{name}: expected {expected}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it may be, in words.
        expected: &'static str,
    },
    /// The value is not a number, or is out of its range.
    #[error("{name}: expected {what} from {first} to {last}")]
    OutOfRange {
        /// The variable.
        name: &'static str,
        /// What it counts, in words.
        what: &'static str,
        /// The smallest number it may be.
        first: u64,
        /// The largest number it may be.
        last: u64,
    },
    /// As [`ConfigError::Invalid`], where what is wrong depends on the value, or on another
    /// setting.
    #[error("{name}: {reason}")]
    Refused {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// Where settings are read from.
pub struct Environment<'a> {
    lookup: Lookup<'a>,
    /// The secrets that are not variables, by their setting.
    secrets: Option<Secrets>,
}

type Secrets = Box<dyn Fn(&str) -> Option<Secret>>;
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
            secrets: None,
        }
    }

    /// The same, with the secrets that `lookup` knows.
    pub fn with_secrets(
        self,
        lookup: impl Fn(&str) -> Option<Secret> + 'static,
    ) -> Environment<'a> {
        Environment {
            secrets: Some(Box::new(lookup)),
            ..self
        }
    }

    /// A setting as text; one that is set to nothing counts as not set.
    pub fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.trim().is_empty())
    }

    /// A setting as text, which has to be set.
    pub(super) fn required(&self, name: &'static str) -> Result<String, ConfigError> {
        self.text(name).ok_or(ConfigError::Missing(name))
    }

    /// A secret: the value that the lookup knows for it, or else the setting itself.
    pub(super) fn secret(&self, name: &'static str) -> Result<Secret, ConfigError> {
        match self.secrets.as_ref().and_then(|lookup| lookup(name)) {
            Some(secret) => Ok(secret),
            None => self.required(name).map(|value| value.trim().into()),
        }
    }

    /// A whole number within `range`, or `default` if the setting is not set.
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
