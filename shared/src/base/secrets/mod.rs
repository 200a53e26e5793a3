//! Secrets: plain settings, or parameters in SSM Parameter Store, which may change while a
//! function lives.
//!
//! At each cold start, one call reads every parameter that the function's settings name.
//! Later, during an invocation, one call reads all of them again:
//!
//! | when | at most once in |
//! |---|---|
//! | they are older than [`SecretsConfig::max_age`](crate::config::SecretsConfig) | a minute |
//! | a caller sends an unknown key | a minute |
//! | a service refuses the token that it was sent | ten seconds |
//!
//! Nothing is read between invocations. While the store is unavailable, or has a value that
//! is invalid, the previous values stay in use.

mod cache;
mod ssm;

use std::collections::HashMap;

use futures_util::future::BoxFuture;

use crate::config::ConfigError;

pub use super::secret::Secret;
pub use cache::SecretCache;
pub use ssm::Ssm;

/// A store of parameters.
pub trait Parameters: Send + Sync + 'static {
    /// Returns the values of those `names` that exist, with one call.
    ///
    /// # Errors
    /// The store did not answer. The error contains no value.
    fn read(&self, names: Vec<String>) -> BoxFuture<'_, Result<HashMap<String, String>, Away>>;
}

/// Why a store did not answer.
pub type Away = Box<dyn std::error::Error + Send + Sync>;

/// The secrets cannot be read or used. The text never contains a value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Parameters that do not exist, as `parameter (setting)`, separated by commas.
    #[error("SSM Parameter Store does not have: {0}")]
    Missing(String),
    /// A parameter has a value that is invalid for its setting.
    #[error("a value in SSM Parameter Store is invalid")]
    Unusable(#[source] ConfigError),
    /// The store did not answer.
    #[error("SSM Parameter Store cannot be read")]
    Away(#[source] Away),
}
