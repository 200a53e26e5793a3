//! What can go wrong with a queue. Expected outcomes (a duplicate, a lost lease) are
//! values, not errors.

use super::JobId;
use crate::redis;

/// What can go wrong with a queue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller's job cannot be one; the text names what is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The caller's job is too large; the text names what.
    #[error("{0}")]
    TooLarge(String),
    /// The clock here is too far from the service's for its times to be trusted.
    #[error("the clock is {} s ahead of the Redis service's", .ahead_ms / 1000)]
    ClockSkew {
        /// Milliseconds; negative when it is behind.
        ahead_ms: i64,
    },
    /// As many jobs are unfinished as may be.
    #[error("the queue is full")]
    Full,
    /// The id is that of another job.
    #[error("job id {0} is another job's")]
    IdTaken(JobId),
    /// Stored by a newer or a broken version.
    #[error("job {id} cannot be read")]
    Unreadable {
        /// The job.
        id: String,
        /// What is wrong with its record.
        #[source]
        source: serde_json::Error,
    },
    /// Redis could not be reached, or refused.
    #[error("the queue cannot be used")]
    Redis(#[from] redis::Error),
}

impl Error {
    /// Whether Redis itself is away, so that another try later may succeed.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Error::Redis(error) if error.is_unavailable())
    }
}
