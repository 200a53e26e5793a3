//! Validates `runAt`.

use std::time::Duration;

use shared::http::{ApiError, Context, Moment};

use crate::State;

/// Assumed clock skew of a caller if it is not configured.
const USUAL_SKEW: Duration = Duration::from_secs(30);

/// Rejects a `runAt` in the past: it is most likely a mistake, and the job would run at
/// once. The caller's clock may be behind by as much as a drainer's may.
///
/// # Errors
/// 400, naming the field at `place` in the body.
pub async fn check_run_at(
    cx: &Context<State>,
    place: &str,
    run_at: Option<Moment>,
) -> Result<(), ApiError> {
    let Some(run_at) = run_at else { return Ok(()) };
    let skew = cx.queue().config().clock_skew.unwrap_or(USUAL_SKEW);
    let late = cx.clock().now_ms().saturating_sub(run_at.ms());
    if late <= skew.as_millis() as i64 {
        return Ok(());
    }
    // The request may be a repetition of one that was in time. Its first answer is then
    // replayed, and this line is not reached.
    cx.admitted().await;
    let seconds = late / 1000;
    let detail =
        format!("{place}runAt: expected a time in the future, but it is {seconds} s in the past");
    Err(ApiError::bad_request(detail))
}
