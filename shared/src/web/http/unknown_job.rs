//! The error of a job that was not found.

use super::{ApiError, Context, ErrorCode};
use crate::queue::JobId;

/// How long a replica may take to know of a job, in milliseconds.
const REPLICA_LAG_MS: i64 = 5000;

/// 404, or 503 with `Retry-After` for a job made just now: it may not have reached the
/// replica that was asked, unless the caller named the state it wants to see at least.
/// `word` is what the route calls it.
pub fn unknown_job<S, P, Q>(cx: &Context<S, P, Q>, id: &JobId, word: &str) -> ApiError {
    let age_ms = cx.clock().now_ms() - id.created_ms();
    if cx.header("x-sync-token").is_none() && (0..REPLICA_LAG_MS).contains(&age_ms) {
        return ApiError::not_yet_known(format!("the {word} is not known yet; ask again"));
    }
    let detail = format!("there is no such {word}, or it was removed after its retention time");
    ApiError::new(ErrorCode::JobNotFound, detail)
}
