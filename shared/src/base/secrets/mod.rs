//! Secrets: plain settings, or parameters of SSM Parameter Store that may change while
//! functions live.
//!
//! Every parameter a function is given the name of is read by one call, once per cold
//! start. They are read again, all by one call, within an invocation that needs them
//!
//! | when | at most once in |
//! |---|---|
//! | they are older than [`SecretsConfig::max_age`](crate::config::SecretsConfig) | a minute |
//! | a caller brings an unknown key | a minute |
//! | a service refuses the token it was sent | ten seconds |
//!
//! and nothing is read between invocations. While the store is unavailable, or has a
//! value that cannot be used, the previous ones stay in use.

mod cache;
mod ssm;

use std::collections::HashMap;

use futures_util::future::BoxFuture;

use crate::config::ConfigError;

pub use super::secret::Secret;
pub use cache::SecretCache;
pub use ssm::Ssm;

/// Where parameters are stored.
pub trait Parameters: Send + Sync + 'static {
    /// The values of those of `names` that exist, by one call.
    ///
    /// # Errors
    /// When the store does not answer; the reason holds no value.
    fn read(&self, names: Vec<String>) -> BoxFuture<'_, Result<HashMap<String, String>, Away>>;
}

/// Why a store did not answer.
pub type Away = Box<dyn std::error::Error + Send + Sync>;

/// The secrets cannot be read or used. Its text never holds a value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// As `parameter (setting)`, separated by commas.
    #[error("SSM Parameter Store has not: {0}")]
    Missing(String),
    /// A parameter has a value that its setting cannot have.
    #[error("what SSM Parameter Store has cannot be used")]
    Unusable(#[source] ConfigError),
    /// The store did not answer.
    #[error("SSM Parameter Store cannot be read")]
    Away(#[source] Away),
}
