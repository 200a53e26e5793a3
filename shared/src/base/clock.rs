//! The clock. No other module reads the time.
//!
//! Everything that needs the time of day, a pause or a deadline asks a [`Clock`].
//! Production uses the system's clock. A test uses a clock that it moves itself, so no test
//! waits for real time.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// A source of time. Cheap to clone; clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { started: Instant },
    Manual(Arc<watch::Sender<i64>>),
}

impl Clock {
    /// The time of the machine.
    pub fn system() -> Clock {
        Clock(Source::System {
            started: Instant::now(),
        })
    }

    /// A clock that stands still until a test moves it. It starts at `start_ms`, in unix
    /// milliseconds.
    pub fn manual(start_ms: i64) -> Clock {
        Clock(Source::Manual(Arc::new(watch::Sender::new(start_ms))))
    }

    /// The time of day, in unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Source::System { .. } => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
            }
            Source::Manual(now) => *now.borrow(),
        }
    }

    /// The time since some fixed moment. It never goes back, whatever happens to the time
    /// of day.
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Source::System { started } => started.elapsed(),
            Source::Manual(now) => Duration::from_millis(u64::try_from(*now.borrow()).unwrap_or(0)),
        }
    }

    /// Waits until `pause` has passed on this clock.
    pub async fn sleep(&self, pause: Duration) {
        match &self.0 {
            Source::System { .. } => tokio::time::sleep(pause).await,
            Source::Manual(now) => {
                let mut seen = now.subscribe();
                let until = seen.borrow().saturating_add(millis(pause));
                // The sender lives in `self`, so the channel cannot close here.
                let _ = seen.wait_for(|now| *now >= until).await;
            }
        }
    }

    /// A short wait before something is tried again. Nothing depends on its length. On a
    /// manual clock it ends immediately, so that a test need not move the clock for it.
    pub async fn pause(&self, pause: Duration) {
        match &self.0 {
            Source::System { .. } => tokio::time::sleep(pause).await,
            Source::Manual(_) => tokio::time::sleep(pause.min(Duration::from_millis(1))).await,
        }
    }

    /// The real time to wait for a reply that must arrive within `limit`. It differs on a
    /// manual clock, because nothing hangs in a test, and a test machine that stalls for
    /// seconds must not look like a network that does.
    pub fn patience(&self, limit: Duration) -> Duration {
        match &self.0 {
            Source::System { .. } => limit,
            Source::Manual(_) => limit.max(Duration::from_secs(60)),
        }
    }

    /// Moves a manual clock forward. Has no effect on the system's clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(now) = &self.0 {
            now.send_modify(|now| *now = now.saturating_add(millis(by)));
        }
    }

    /// Sets a manual clock, even backwards.
    pub fn set(&self, now_ms: i64) {
        if let Source::Manual(now) = &self.0 {
            now.send_replace(now_ms);
        }
    }

    /// Returns the deadline `budget` from now.
    pub fn deadline(&self, budget: Duration) -> Deadline {
        let at = self.elapsed().saturating_add(budget);
        Deadline {
            clock: self.clone(),
            at: Arc::new(watch::Sender::new(at)),
        }
    }
}

/// A time on the monotonic clock by which something must end. Clones share it.
#[derive(Clone, Debug)]
pub struct Deadline {
    clock: Clock,
    at: Arc<watch::Sender<Duration>>,
}

impl Deadline {
    /// The time that is left; zero if the deadline has passed.
    pub fn remaining(&self) -> Duration {
        self.at.borrow().saturating_sub(self.clock.elapsed())
    }

    /// Moves the deadline forward to `budget` from now, for example because the process is
    /// about to stop. Never postpones it.
    pub fn cut_to(&self, budget: Duration) {
        let sooner = self.clock.elapsed().saturating_add(budget);
        self.at.send_if_modified(|at| {
            let is_sooner = sooner < *at;
            *at = sooner.min(*at);
            is_sooner
        });
    }

    /// Whether this is a clone of `other`.
    pub fn is(&self, other: &Deadline) -> bool {
        Arc::ptr_eq(&self.at, &other.at)
    }

    /// Waits until the deadline is moved forward.
    pub async fn brought_forward(&self) {
        // The sender lives in `self`, so the channel cannot close here.
        let _ = self.at.subscribe().changed().await;
    }

    /// Returns the deadline of a Lambda invocation, from the unix milliseconds in its
    /// context. A time in the past is not trusted, because local emulators send constants
    /// from 1970. The deadline is then `fallback` from now.
    pub fn of_invocation(clock: &Clock, deadline_ms: u64, fallback: Duration) -> Deadline {
        let now = u64::try_from(clock.now_ms()).unwrap_or(0);
        match deadline_ms.checked_sub(now) {
            Some(left) if left > 0 => clock.deadline(Duration::from_millis(left)),
            _ => clock.deadline(fallback),
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_from_1970_is_replaced_by_the_configured_budget() {
        let clock = Clock::manual(1_800_000_000_000);
        let deadline = Deadline::of_invocation(&clock, 600_000, Duration::from_secs(50));
        assert_eq!(deadline.remaining(), Duration::from_secs(50));

        let deadline = Deadline::of_invocation(&clock, 1_800_000_007_000, Duration::from_secs(50));
        assert_eq!(deadline.remaining(), Duration::from_secs(7));
        clock.advance(Duration::from_secs(8));
        assert_eq!(deadline.remaining(), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_manual_clock_wakes_its_sleepers_when_it_is_moved() {
        let clock = Clock::manual(0);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(5)).await }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(5));
        sleeper.await.unwrap();
    }
}
