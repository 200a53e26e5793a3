//! What is answered about a job that was not found.

use super::{ApiError, Request};
use crate::clock::Clock;
use crate::queue::JobId;

/// How long a replica may take to know of a job, in milliseconds.
const REPLICA_LAG_MS: i64 = 5000;

/// A job nobody knows: one made just now may not have reached the replica that was
/// asked, unless the caller named the state it wants to see at least.
pub fn absent(request: &Request, id: &JobId, clock: &Clock, word: &str) -> ApiError {
    let age_ms = clock.now_ms() - id.created_ms();
    if request.header("x-sync-token").is_none() && (0..REPLICA_LAG_MS).contains(&age_ms) {
        return ApiError::not_yet_known(format!("the {word} is not known yet; ask again"));
    }
    ApiError::not_found(format!(
        "there is no such {word}, or it was forgotten after its time"
    ))
}
