//! Wakes further workers when one cannot finish the waiting jobs in its time.

use std::time::Duration;

use crate::clock::Clock;
use crate::waker::{Wake, wake_all};

/// How often waiting jobs are counted at most. Each count is a billed command.
const INTERVAL: Duration = Duration::from_secs(10);

/// The time before the first count. By then a backlog of short jobs has shown its pace.
const FIRST: Duration = Duration::from_secs(1);

/// Which workers may be woken, and whether they have been.
pub(super) struct Helpers<'a> {
    wake: Option<&'a dyn Wake>,
    most: u32,
    concurrency: usize,
    clock: Clock,
    began: Duration,
    counted_at: Option<Duration>,
}

impl<'a> Helpers<'a> {
    /// `wake` is `None` for a drainer that another drainer woke, because helpers do not
    /// wake others.
    pub fn new(wake: Option<&'a dyn Wake>, most: u32, concurrency: usize, clock: Clock) -> Self {
        Helpers {
            wake,
            most,
            concurrency,
            began: clock.elapsed(),
            clock,
            counted_at: None,
        }
    }

    /// Whether it is time to count waiting jobs. A worker that could take more jobs itself
    /// does not need to know.
    pub fn are_worth_a_count(&self, n_running: usize) -> bool {
        let now = self.clock.elapsed();
        let since = match self.counted_at {
            Some(at) => now.saturating_sub(at) >= INTERVAL,
            None => now.saturating_sub(self.began) >= FIRST,
        };
        self.wake.is_some() && self.most > 0 && n_running + 1 >= self.concurrency && since
    }

    /// Wakes as many helpers as it takes to run `n_waiting` jobs in the `time` left, at the
    /// pace of the `n_ended` jobs so far. Does so at most once in a drain.
    pub async fn wake(&mut self, n_waiting: u64, n_ended: u32, time: Duration) {
        let now = self.clock.elapsed();
        self.counted_at = Some(now);
        let Some(wake) = self.wake else { return };
        let n = drainers_to_wake(
            n_waiting,
            n_ended.max(u32::try_from(self.concurrency).unwrap_or(u32::MAX)),
            now.saturating_sub(self.began),
            time,
        );
        let n = n.min(self.most);
        if n == 0 {
            return;
        }
        tracing::info!(n_waiting, n_woken = n, "waking helpers");
        wake_all(wake, n).await;
        // At most once, because the helpers have not begun yet, and a second count would
        // wake as many again.
        self.wake = None;
    }
}

/// How many more drainers of the same pace are needed. Running jobs count as ended, so
/// while the pace is unknown, the best possible pace is assumed.
fn drainers_to_wake(n_waiting: u64, n_ended: u32, so_far: Duration, left: Duration) -> u32 {
    let pace = f64::from(n_ended) / so_far.as_secs_f64().max(0.001);
    let one_does = (pace * left.as_secs_f64()).max(1.0);
    (n_waiting as f64 / one_does).ceil().min(1000.0) as u32 - u32::from(n_waiting > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backlog_and_the_pace_decide_how_many_helpers_are_woken() {
        let (so_far, left) = (Duration::from_secs(10), Duration::from_secs(100));
        let woken = |n_waiting| drainers_to_wake(n_waiting, 50, so_far, left);
        assert_eq!([0, 1, 500, 501, 1600].map(woken), [0, 0, 0, 1, 3]);
    }

    #[test]
    fn each_drainer_is_assumed_to_finish_at_least_one_job() {
        assert_eq!(
            drainers_to_wake(3, 5, Duration::from_secs(1), Duration::ZERO),
            2
        );
    }
}
