//! The errors of a queue. Expected outcomes, such as a duplicate or a lost lease, are
//! values and not errors.

use super::JobId;
use crate::redis;

/// An operation of a queue failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller's job is invalid. The text says why.
    #[error("{0}")]
    Invalid(String),
    /// The caller's job is too large. The text says which part.
    #[error("{0}")]
    TooLarge(String),
    /// This machine's clock is too far from the Redis service's for its times to be
    /// trusted.
    #[error("this machine's clock is {} s {} the Redis service's",
        .ahead_ms.abs() / 1000, if *.ahead_ms < 0 { "behind" } else { "ahead of" })]
    ClockSkew {
        /// The difference in milliseconds; negative if this clock is behind.
        ahead_ms: i64,
    },
    /// The queue has as many unfinished jobs as it may have.
    #[error("the queue is full")]
    Full,
    /// Another job already has this id.
    #[error("another job already has the id {0}")]
    IdTaken(JobId),
    /// The stored job was written by a newer version, or is damaged.
    #[error("the record of job {id} cannot be read")]
    Unreadable {
        /// The job.
        id: String,
        /// What is wrong with its record.
        #[source]
        source: serde_json::Error,
    },
    /// Redis could not be reached, or it refused the request.
    #[error("the queue is unavailable")]
    Redis(#[from] redis::Error),
}

impl Error {
    /// Whether Redis itself is unavailable, so that a later attempt may succeed.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Error::Redis(error) if error.is_unavailable())
    }
}
