//! The only code that reads the time. A manual clock stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The endpoint's source of time. Clones share one clock.
#[derive(Debug, Clone)]
pub struct Clock {
    manual_ms: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system clock.
    pub fn system() -> Self {
        Self { manual_ms: None }
    }

    /// A clock that shows `start_ms` (Unix milliseconds) until it is moved.
    pub fn manual(start_ms: i64) -> Self {
        Self {
            manual_ms: Some(Arc::new(AtomicI64::new(start_ms))),
        }
    }

    /// Moves a manual clock forward. The system clock ignores this.
    pub fn advance(&self, by: Duration) {
        if let Some(now_ms) = &self.manual_ms {
            let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            now_ms.fetch_add(by_ms, Ordering::SeqCst);
        }
    }

    /// Sets a manual clock to `now_ms`, also to an earlier time. The system clock ignores
    /// this.
    pub fn set(&self, now_ms: i64) {
        if let Some(shared) = &self.manual_ms {
            shared.store(now_ms, Ordering::SeqCst);
        }
    }

    /// Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        match &self.manual_ms {
            Some(now_ms) => now_ms.load(Ordering::SeqCst),
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map(|since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
                .unwrap_or(0),
        }
    }

    /// Whether [`Clock::advance`] and [`Clock::set`] have an effect.
    pub fn is_manual(&self) -> bool {
        self.manual_ms.is_some()
    }
}

/// The system time in HTTP's format. It is read anew for each reply: a cached date would
/// be wrong after the clock is set back.
pub fn http_date() -> String {
    httpdate::fmt_http_date(SystemTime::now())
}
