//! The errors of a lock.

use crate::redis;

/// A lock was not acquired, or not held to the end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process held the lock for as long as this one waited.
    #[error("another process holds the lock on {resource}")]
    Held {
        /// The name of the lock.
        resource: String,
    },
    /// The lease ended or could not be renewed in time, so another process may hold the
    /// lock.
    #[error("the lock on {resource} was lost")]
    Lost {
        /// The name of the lock.
        resource: String,
    },
    /// Redis could not be reached.
    #[error("Redis could not be asked for the lock")]
    Redis(#[from] redis::Error),
}
