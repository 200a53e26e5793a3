//! Waking a drainer after a job was stored.
//!
//! Best effort: a job that wakes nobody is found by the schedule within a minute.

#[cfg(feature = "invoke")]
mod lambda;

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::clock::Clock;
#[cfg(feature = "invoke")]
pub use lambda::LambdaWake;

/// A drainer is woken at most this often by one environment.
const INTERVAL: Duration = Duration::from_secs(2);

/// How long waking may delay the reply to the caller.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long a drainer may take to wake another: its jobs go on meanwhile.
const HELPER_PATIENCE: Duration = Duration::from_secs(2);

/// What a drainer is told of who wakes it. One woken by another drainer wakes none
/// itself.
pub const BY_ENQUEUE: &str = "trawl.enqueue";
pub const BY_DRAIN: &str = "trawl.drain";

/// Starts a drainer.
pub trait Wake: Send + Sync + 'static {
    /// # Errors
    /// Any; it is logged and forgotten.
    fn wake(&self) -> BoxFuture<'_, Result<(), Box<dyn std::error::Error + Send + Sync>>>;
}

/// Wakes `n` drainers at once.
pub async fn wake_all(wake: &dyn Wake, n: u32) {
    let wakes = (0..n).map(|_| wake_one(wake, HELPER_PATIENCE));
    futures_util::future::join_all(wakes).await;
}

async fn wake_one(wake: &dyn Wake, patience: Duration) {
    // Not the injected clock: this bounds real waiting, and moves no state.
    match tokio::time::timeout(patience, wake.wake()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let error = crate::telemetry::chain(&*error);
            tracing::warn!(error, "no drainer was woken");
        }
        Err(_) => tracing::warn!("no drainer was woken in time"),
    }
}

/// Wakes drainers, at most one in two seconds, without failing or delaying anybody.
pub struct Waker {
    wake: Option<Box<dyn Wake>>,
    clock: Clock,
    woken_at: Mutex<Option<Duration>>,
}

impl Waker {
    /// `None` leaves jobs to the schedule.
    pub fn new(wake: Option<Box<dyn Wake>>, clock: Clock) -> Waker {
        Waker {
            wake,
            clock,
            woken_at: Mutex::new(None),
        }
    }

    /// Wakes a drainer if none was woken just now; answers within 300 ms.
    pub async fn wake(&self) {
        let Some(wake) = &self.wake else { return };
        if !self.is_due() {
            return;
        }
        wake_one(&**wake, PATIENCE).await;
    }

    fn is_due(&self) -> bool {
        let now = self.clock.elapsed();
        let mut woken_at = self
            .woken_at
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = woken_at.is_none_or(|at| now.saturating_sub(at) >= INTERVAL);
        if due {
            *woken_at = Some(now);
        }
        due
    }
}
