//! The check of `runAt`.

use std::time::Duration;

use shared::http::{ApiError, Context, Moment};

use crate::State;

/// How far a caller's clock may be behind where the settings do not say.
const USUAL_SKEW: Duration = Duration::from_secs(30);

/// Refuses a `runAt` in the past: most likely it is a mistake, and the job would run at
/// once. The clock of the caller may be behind by as much as a drainer's may.
///
/// # Errors
/// 400 that names the field, which stands at `place` in the body.
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
    // The same request may have been in time when it was sent first: then it is answered
    // as it was, and does not get here.
    cx.admitted().await;
    let seconds = late / 1000;
    let detail =
        format!("{place}runAt: expected a time that has not passed; it is {seconds} s ago");
    Err(ApiError::bad_request(detail))
}
