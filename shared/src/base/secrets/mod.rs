//! Secrets: given in plain, or kept by SSM Parameter Store and changed there while
//! functions live.
//!
//! Every parameter a function is given the name of is read by one call, once per cold
//! start. They are read again, all by one call, within an invocation that needs them
//!
//! | when | at most once in |
//! |---|---|
//! | they are older than [`SecretsConfig::max_age`](crate::config::SecretsConfig) | a minute |
//! | a caller brings a key nobody knows | a minute |
//! | a service refuses the token it was sent | ten seconds |
//!
//! and nothing is read between invocations. While the store is away, or has what
//! cannot be used, those of before stay in use.

mod keeper;
#[cfg(feature = "parameters")]
mod ssm;

use std::collections::HashMap;

use futures_util::future::BoxFuture;

use crate::config::ConfigError;

pub use super::secret::Secret;
pub use keeper::Keeper;
#[cfg(feature = "parameters")]
pub use ssm::Ssm;

/// Where parameters are kept.
pub trait Parameters: Send + Sync + 'static {
    /// The values of those of `names` that exist, by one call.
    ///
    /// # Errors
    /// When the store does not answer; the reason holds no value.
    fn read(&self, names: Vec<String>) -> BoxFuture<'_, Result<HashMap<String, String>, Away>>;
}

/// Why a store did not answer.
pub type Away = Box<dyn std::error::Error + Send + Sync>;

/// Secrets that cannot be had. Its text never holds a value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// As `parameter (setting)`, separated by commas.
    #[error("SSM Parameter Store has not: {0}")]
    Missing(String),
    #[error("what SSM Parameter Store has cannot be used")]
    Unusable(#[source] ConfigError),
    #[error("SSM Parameter Store cannot be read")]
    Away(#[source] Away),
}
