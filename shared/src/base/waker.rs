//! Wakes a drainer after a job was stored.
//!
//! Waking is best effort: the schedule finds a job that wakes no drainer within a minute.
//!
//! An environment wakes at most one drainer in a short interval. This misses no job. A
//! woken drainer takes its last look at the queue when that interval is over, counted from
//! its own start, which is after the wake. A job that woke nobody, because another had just
//! done so, was stored before that look.

mod lambda;

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::clock::Clock;
pub use lambda::LambdaWake;

/// The shortest interval between two wakes by one environment. A woken drainer looks for
/// jobs again when the interval is over.
pub const INTERVAL: Duration = Duration::from_millis(250);

/// The longest time by which waking may delay the reply to the caller.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long a drainer may take to wake another one. Its jobs continue in the meantime.
const HELPER_PATIENCE: Duration = Duration::from_secs(2);

/// Tells a drainer that a function which stored a job woke it.
pub const BY_ENQUEUE: &str = "trawl.enqueue";
/// Tells a drainer that another drainer woke it, so that it does not wake others.
pub const BY_DRAIN: &str = "trawl.drain";

/// Starts a drainer.
pub trait Wake: Send + Sync + 'static {
    /// Starts a drainer.
    ///
    /// # Errors
    /// Any error. It is logged and otherwise ignored.
    fn wake(&self) -> BoxFuture<'_, Result<(), Box<dyn std::error::Error + Send + Sync>>>;
}

/// Wakes `n` drainers at the same time.
pub async fn wake_all(wake: &dyn Wake, n: u32) {
    let wakes = (0..n).map(|_| wake_one(wake, HELPER_PATIENCE));
    futures_util::future::join_all(wakes).await;
}

/// Returns whether a drainer was woken, as far as that is known.
async fn wake_one(wake: &dyn Wake, patience: Duration) -> bool {
    // Uses real time and not the injected clock, because it bounds a real wait and changes
    // no state.
    match tokio::time::timeout(patience, wake.wake()).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => {
            let error = crate::telemetry::chain(&*error);
            tracing::warn!(error, "a drainer could not be woken");
        }
        Err(_) => tracing::warn!("waking a drainer took too long"),
    }
    false
}

/// Wakes drainers, at most one in each [`INTERVAL`]. It never fails, and hardly delays its
/// caller.
pub struct Waker {
    wake: Option<Box<dyn Wake>>,
    clock: Clock,
    interval: Duration,
    /// A woken drainer will see everything that was stored since this time. The lock is
    /// held while a drainer is being woken: only a wake that succeeded makes the next
    /// caller's unnecessary.
    covered: tokio::sync::Mutex<Option<Duration>>,
}

impl Waker {
    /// Without `wake`, jobs wait for the schedule. `linger` is how long drainers stay
    /// without work. Drainers that leave immediately do not see what is stored after their
    /// first look, so each job must then wake one.
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

    /// Returns the time to pass to [`Waker::wake`]. Call it before a job is stored.
    pub fn before_storing(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Wakes a drainer for what was stored since `before`, unless one was just woken that
    /// will see it. Returns within 300 ms.
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
        // The same limit applies to those who wait for another's call.
        if tokio::time::timeout(PATIENCE, waking).await.is_err() {
            tracing::warn!("waking a drainer took too long");
        }
    }
}
