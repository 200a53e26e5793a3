//! How many commands callers without a key may cause.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::ApiError;
use crate::clock::Clock;

/// How many checks in Redis all callers without a key may cause together, in each
/// environment and minute.
const ANONYMOUS_CHECKS: u32 = 60;

const MINUTE: Duration = Duration::from_secs(60);

/// The checks left to callers without a key, all of them together. A limit for each address
/// would not stop somebody who has many addresses.
#[derive(Default)]
pub(super) struct AnonymousBudget {
    spent: Mutex<(Duration, u32)>,
}

impl AnonymousBudget {
    /// Takes one check from this minute's budget.
    ///
    /// # Errors
    /// 429 when there is none left.
    pub fn take(&self, clock: &Clock) -> Result<(), ApiError> {
        let now = clock.elapsed();
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, n) = *spent;
        let is_over = n == 0 || now.saturating_sub(began) >= MINUTE;
        let (began, n) = if is_over { (now, 0) } else { (began, n) };
        if n >= ANONYMOUS_CHECKS {
            let left = MINUTE.saturating_sub(now.saturating_sub(began));
            let seconds = left.as_secs().max(1);
            let reset_at = clock.now_ms() + left.as_millis() as i64;
            return Err(ApiError::too_many_requests(seconds, reset_at));
        }
        *spent = (began, n + 1);
        Ok(())
    }
}
