//! The errors of a session.

use crate::redis;

/// The largest size of a session's data, in bytes.
pub const LARGEST: usize = 4096;

/// A session could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data is too large.
    #[error("a session may hold at most {LARGEST} bytes")]
    TooLarge,
    /// The system could not provide random bytes for a token.
    #[error("the system provided no random bytes")]
    NoRandomness,
    /// Redis could not be reached.
    #[error("Redis could not be asked for the session")]
    Redis(#[from] redis::Error),
}
