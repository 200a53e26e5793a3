//! Decides when a worker has to act: outcomes, renewals, timeouts, the deadline.

use std::time::Duration;

use super::handler::{Outcome, Signal};
use super::rounds::WorkerLoop;

/// The last part of a lease that is not used, because clocks differ: a twelfth, 5 s of 60.
const LEASE_MARGIN: u32 = 12;

impl WorkerLoop<'_> {
    /// Waits until there is something to report, renew or claim.
    pub(super) async fn wait(&mut self) {
        self.enforce_deadlines();
        if self.outcomes.is_empty() {
            let pause = self.time_to_act();
            tokio::select! {
                done = self.tasks.join_next() => self.finished(done),
                () = self.queue.clock().sleep(pause) => {}
                // The process is about to stop, so running jobs are handed back now.
                () = self.deadline.brought_forward() => {}
            }
        }
        // Jobs that finish at about the same time are settled in one round, at no further
        // cost.
        if !self.outcomes.is_empty() && !self.running.is_empty() {
            let coalesce = self.queue.config().coalesce;
            let window = self.queue.clock().sleep(coalesce);
            tokio::pin!(window);
            while !self.running.is_empty() {
                tokio::select! {
                    // Finished jobs first, so that the end of the window never leaves one
                    // behind.
                    biased;
                    done = self.tasks.join_next() => self.finished(done),
                    () = &mut window => break,
                }
            }
        }
        self.enforce_deadlines();
    }

    /// How long until something is due, assuming that no job finishes.
    pub(super) fn time_to_act(&self) -> Duration {
        let now = self.queue.clock().elapsed();
        let config = self.queue.config();
        let left = self.deadline.remaining();
        let mut pause = config.lease / 3;
        for job in self.running.values() {
            pause = pause.min((job.renewed_at + config.lease / 3).saturating_sub(now));
            if let Some(at) = job.times_out_at {
                pause = pause.min(at.saturating_sub(now));
            }
        }
        for margin in [self.margins.hand_back, self.margins.give_up] {
            if left > margin {
                pause = pause.min(left - margin);
            }
        }
        let may_claim = left > self.margins.stop_claiming && self.queue.check_clock().is_ok();
        if self.running.len() < config.concurrency && may_claim {
            pause = pause.min(self.until_due().unwrap_or(pause));
        }
        pause
    }

    fn until_due(&self) -> Option<Duration> {
        let due = self
            .next_due_ms?
            .saturating_sub(self.queue.clock().now_ms());
        Some(Duration::from_millis(u64::try_from(due).unwrap_or(0)))
    }

    /// How long to wait before the next look, for a delayed job or for the last look.
    /// `None` means to leave.
    pub(super) fn time_to_next_look(&self) -> Option<Duration> {
        let left = self
            .deadline
            .remaining()
            .saturating_sub(self.margins.stop_claiming);
        let linger = self.queue.config().linger;
        [self.until_due(), self.until_last_look()]
            .into_iter()
            .flatten()
            .filter(|until| *until <= linger && *until < left)
            .min()
    }

    fn until_last_look(&self) -> Option<Duration> {
        let is_over = self.looked_at.is_some_and(|at| at >= self.last_look);
        let now = self.queue.clock().elapsed();
        (!is_over).then(|| self.last_look.saturating_sub(now))
    }

    /// Asks jobs to hand back when the invocation is about to end. Stops those that do not,
    /// that take too long, or whose lease can no longer be trusted.
    pub(super) fn enforce_deadlines(&mut self) {
        let now = self.queue.clock().elapsed();
        let left = self.deadline.remaining();
        let lease = self.queue.config().lease;
        let mut given_up = Vec::new();
        let mut too_long = Vec::new();
        for (attempt, job) in &self.running {
            if left <= self.margins.hand_back {
                // Does not overwrite a cancellation, which the handler must still see.
                job.signal.send_if_modified(|signal| {
                    let first = *signal == Signal::GoOn;
                    if first {
                        *signal = Signal::HandBack;
                    }
                    first
                });
            }
            // Renewals have failed for so long that another drainer may have the job.
            let lost = now.saturating_sub(job.renewed_at) + lease / LEASE_MARGIN >= lease;
            if left <= self.margins.give_up || lost {
                job.task.abort();
                given_up.push(attempt.clone());
            } else if job.times_out_at.is_some_and(|at| at <= now) {
                job.task.abort();
                let limit_ms = job.claim.timeout.unwrap_or_default().as_millis();
                too_long.push((attempt.clone(), limit_ms));
            }
        }
        for attempt in given_up {
            if let Some(job) = self.running.get(&attempt) {
                let _span = job.claim.span.enter();
                tracing::warn!("unfinished job handed back");
            }
            // A snooze rather than a failure: the job did nothing wrong, so it costs no
            // attempt.
            let back = Outcome::Snooze {
                after: Duration::ZERO,
            };
            self.record(&attempt, back.into(), true);
        }
        for (attempt, limit_ms) in too_long {
            self.fail_attempt(&attempt, format!("timed out after {limit_ms} ms"));
        }
    }
}
