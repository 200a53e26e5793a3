//! What can go wrong with a session.

use crate::redis;

/// The most bytes of what a session holds.
pub const LARGEST: usize = 4096;

/// A failure, or something that cannot be a session.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data is too large.
    #[error("a session holds at most {LARGEST} bytes")]
    TooLarge,
    /// The system could not make a token.
    #[error("the system has no randomness")]
    NoRandomness,
    /// Redis could not be reached.
    #[error("sessions cannot be used")]
    Redis(#[from] redis::Error),
}
