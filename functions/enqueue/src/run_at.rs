//! Validates `runAt`.

use std::time::Duration;

use shared::http::{ApiError, Context, FieldCode, FieldError, Invalid, Moment};

use crate::State;

/// Assumed clock skew of a caller if it is not configured.
const USUAL_SKEW: Duration = Duration::from_secs(30);

/// Rejects every `runAt` in the past: it is most likely a mistake, and the job would run at
/// once. The caller's clock may be behind by as much as a drainer's may. Each time comes with
/// the position of its job in the body, if that is an array.
///
/// # Errors
/// 400, naming each of the fields.
pub async fn check_run_at<P>(
    cx: &Context<State, P>,
    times: &[(Option<usize>, Option<Moment>)],
) -> Result<(), ApiError> {
    let skew = cx.queue().config().clock_skew.unwrap_or(USUAL_SKEW);
    let now = cx.clock().now_ms();
    let late = times.iter().filter_map(|(index, run_at)| {
        let late = now.saturating_sub((*run_at)?.ms());
        (late > skew.as_millis() as i64).then(|| {
            let seconds = late / 1000;
            let detail =
                format!("expected a time in the future, but it is {seconds} s in the past");
            FieldError::field("runAt", FieldCode::OutOfRange, detail).in_item(*index)
        })
    });
    let Some(wrong) = Invalid::of(late) else {
        return Ok(());
    };
    // The request may be a repetition of one that was in time. Its first answer is then
    // replayed, and this line is not reached.
    cx.admitted().await;
    Err(wrong.into())
}
