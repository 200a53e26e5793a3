//! Waking a drainer after a job was stored.
//!
//! Best effort: a job that wakes nobody is found by the schedule within a minute.
//!
//! An environment wakes at most one drainer in a short interval, and no job is lost to it:
//! a drainer that was woken looks for the last time when that interval is over, counted
//! from its own beginning, which is after the wake. A job that woke nobody because another
//! had just done so was stored before that.

mod lambda;

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::clock::Clock;
pub use lambda::LambdaWake;

/// A drainer is woken at most this often by one environment. A drainer that was woken
/// looks again when it is over.
pub const INTERVAL: Duration = Duration::from_millis(250);

/// How long waking may delay the reply to the caller.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long a drainer may take to wake another: its jobs go on meanwhile.
const HELPER_PATIENCE: Duration = Duration::from_secs(2);

/// What a drainer is sent about who wakes it. One woken by another drainer wakes none
/// itself.
pub const BY_ENQUEUE: &str = "trawl.enqueue";
/// A drainer woke this one, which therefore wakes no others.
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

/// Answers whether it was woken, as far as that is known.
async fn wake_one(wake: &dyn Wake, patience: Duration) -> bool {
    // Not the injected clock: this bounds real waiting, and moves no state.
    match tokio::time::timeout(patience, wake.wake()).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => {
            let error = crate::telemetry::chain(&*error);
            tracing::warn!(error, "no drainer was woken");
        }
        Err(_) => tracing::warn!("no drainer was woken in time"),
    }
    false
}

/// Wakes drainers, at most one in [`INTERVAL`], without failing or delaying anybody.
pub struct Waker {
    wake: Option<Box<dyn Wake>>,
    clock: Clock,
    interval: Duration,
    /// The moment from which on what was stored is seen by a drainer that was woken. Held
    /// while one is woken: only its success spares the next caller the same.
    covered: tokio::sync::Mutex<Option<Duration>>,
}

impl Waker {
    /// `None` leaves jobs to the schedule. `linger` is how long drainers stay without work:
    /// those that leave at once see nothing of what is stored after their first look, so
    /// that each job must wake one.
    pub fn new(wake: Option<Box<dyn Wake>>, clock: Clock, linger: Duration) -> Waker {
        Waker {
            wake,
            clock,
            interval: if linger < INTERVAL {
                Duration::ZERO
            } else {
                INTERVAL
            },
            covered: tokio::sync::Mutex::new(None),
        }
    }

    /// The time to give to [`Waker::wake`], before a job is stored.
    pub fn before_storing(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Wakes a drainer for what was stored since `before`, unless one was woken just now
    /// that sees it; answers within 300 ms.
    pub async fn wake(&self, before: Duration) {
        let Some(wake) = &self.wake else { return };
        let waking = async {
            let mut covered = self.covered.lock().await;
            let now = self.clock.elapsed();
            let is_seen = |at: Duration| now < at.saturating_add(self.interval);
            if !covered.is_some_and(is_seen) && wake_one(&**wake, PATIENCE).await {
                *covered = Some(before);
            }
        };
        // The same bound for those that wait for another's call.
        if tokio::time::timeout(PATIENCE, waking).await.is_err() {
            tracing::warn!("no drainer was woken in time");
        }
    }
}
