//! Waking further workers when more waits than one can do in its time.

use std::time::Duration;

use crate::clock::Clock;
use crate::waker::{Wake, wake_all};

/// What waits is counted at most this often; the count is a command.
const INTERVAL: Duration = Duration::from_secs(10);

/// No count before this: by then a backlog of short jobs has shown its pace.
const FIRST: Duration = Duration::from_secs(1);

/// Who may be woken, and whether anybody was.
pub(super) struct Helpers<'a> {
    wake: Option<&'a dyn Wake>,
    most: u32,
    concurrency: usize,
    clock: Clock,
    began: Duration,
    counted_at: Option<Duration>,
}

impl<'a> Helpers<'a> {
    /// `wake` is `None` for a drainer that was woken by another: one hop is enough.
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

    /// Whether it is time to count what waits: a worker that could take more jobs
    /// itself has no need to know.
    pub fn are_worth_a_count(&self, n_running: usize) -> bool {
        let now = self.clock.elapsed();
        let since = match self.counted_at {
            Some(at) => now.saturating_sub(at) >= INTERVAL,
            None => now.saturating_sub(self.began) >= FIRST,
        };
        self.wake.is_some() && self.most > 0 && n_running + 1 >= self.concurrency && since
    }

    /// Wakes as many as it takes to do `n_waiting` jobs in the `time` left, at the
    /// pace of the `n_ended` so far; once in a drain.
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
        tracing::info!(n_waiting, n_woken = n, "waking further drainers");
        wake_all(wake, n).await;
        // Once: those that were woken have not begun yet, and a second count would wake as many
        // again.
        self.wake = None;
    }
}

/// How many more drainers of the same pace it takes. Jobs under way count as ended,
/// so a pace not known yet is taken for the best it can be.
fn drainers_to_wake(n_waiting: u64, n_ended: u32, so_far: Duration, left: Duration) -> u32 {
    let pace = f64::from(n_ended) / so_far.as_secs_f64().max(0.001);
    let one_does = (pace * left.as_secs_f64()).max(1.0);
    (n_waiting as f64 / one_does).ceil().min(1000.0) as u32 - u32::from(n_waiting > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_woken_as_the_backlog_takes_at_the_pace_so_far() {
        let (so_far, left) = (Duration::from_secs(10), Duration::from_secs(100));
        let woken = |n_waiting| drainers_to_wake(n_waiting, 50, so_far, left);
        assert_eq!([0, 1, 500, 501, 1600].map(woken), [0, 0, 0, 1, 3]);
    }

    #[test]
    fn with_no_time_left_every_job_is_one_for_another() {
        assert_eq!(
            drainers_to_wake(3, 5, Duration::from_secs(1), Duration::ZERO),
            2
        );
    }
}
