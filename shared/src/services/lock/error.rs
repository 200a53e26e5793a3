//! What can go wrong with a lock.

use crate::redis;

/// Why a lock was not acquired or not held to the end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another held it for as long as was waited.
    #[error("the lock on {resource} is held by another")]
    Held {
        /// The name of the lock.
        resource: String,
    },
    /// The lease ended, or could not be renewed in time: another may hold the lock.
    #[error("the lock on {resource} was lost")]
    Lost {
        /// The name of the lock.
        resource: String,
    },
    /// Redis could not be reached.
    #[error("the lock could not be asked for")]
    Redis(#[from] redis::Error),
}
