//! Runs a worker's jobs. Each job is a task of its own, and its end is noted for the next
//! round.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinError;
use tracing::Instrument as _;

use super::claim::Claim;
use super::handler::{ActiveJob, JobHandler, Outcome, Signal};
use super::rounds::WorkerLoop;
use super::running::{Finished, Running, Settlement};
use crate::panics::caught;
use crate::queue::scripts::Settle;
use crate::queue::spec::StoredResult;
use crate::queue::{Attempt, Queue};
use crate::telemetry;

/// How long a job waits if its arguments could not be read.
const ARGUMENTS_WAIT: Duration = Duration::from_secs(5);

impl WorkerLoop<'_> {
    /// Starts a claimed job. Its lease counts from `claimed_at`, when the claim was sent,
    /// because the script set the end of the lease before the reply arrived.
    pub(super) fn start(&mut self, claim: Arc<Claim>, claimed_at: Duration) {
        claim.span.in_scope(|| tracing::info!("job started"));
        let clock = self.queue.clock();
        let until_hand_back = self
            .deadline
            .remaining()
            .saturating_sub(self.margins.hand_back);
        let budget = claim.timeout.unwrap_or(Duration::MAX).min(until_hand_back);
        let (sender, receiver) = watch::channel(Signal::GoOn);
        let job = ActiveJob {
            claim: claim.clone(),
            loaded_args: None,
            until: clock.deadline(budget),
            signal: receiver,
        };
        let (queue, handler) = (self.queue.clone(), self.handler.clone());
        let attempt = claim.attempt.clone();
        let work = async move {
            // A panic ends only this job. The worker's other jobs continue.
            (attempt, caught(run(queue, handler, job)).await.ok())
        };
        let running = Running {
            signal: sender,
            renewed_at: claimed_at,
            times_out_at: claim.timeout.map(|timeout| clock.elapsed() + timeout),
            task: self.tasks.spawn(work.instrument(claim.span.clone())),
            claim: claim.clone(),
        };
        self.running.insert(claim.attempt.clone(), running);
    }

    pub(super) fn finished(
        &mut self,
        done: Option<Result<(Attempt, Option<Finished>), JoinError>>,
    ) {
        match done {
            Some(Ok((attempt, Some(finished)))) => self.record(&attempt, finished, false),
            Some(Ok((attempt, None))) => {
                self.fail_attempt(&attempt, "the handler panicked".to_owned());
            }
            // The task was aborted. Whoever aborted it has recorded its outcome, unless the
            // lease was lost. Then there is nothing to settle, and the entry is removed.
            Some(Err(_)) | None => self.running.retain(|_, job| !job.task.is_finished()),
        }
    }

    /// Ends an attempt whose handler cannot report how it ended.
    pub(super) fn fail_attempt(&mut self, attempt: &Attempt, reason: String) {
        let outcome = Outcome::Retry {
            reason,
            after: None,
        };
        self.record(attempt, outcome.into(), true);
    }

    /// Records the outcome of an attempt for the next round. `by_worker` means that the
    /// outcome is not the handler's own. An attempt that is no longer running already has
    /// its outcome: a task may end at the moment it is aborted, and only the first outcome
    /// counts.
    pub(super) fn record(&mut self, attempt: &Attempt, finished: Finished, by_worker: bool) {
        let Some(Running { claim, .. }) = self.running.remove(attempt) else {
            return;
        };
        claim.span.in_scope(|| match &finished.outcome {
            Outcome::Retry { reason, .. } => tracing::warn!(reason, "attempt failed"),
            Outcome::Fail { reason } => tracing::warn!(reason, "job failed"),
            Outcome::Unwanted { reason } => tracing::info!(reason, "job ended as unwanted"),
            Outcome::Done(_) | Outcome::Snooze { .. } | Outcome::Cancelled => {}
        });
        let settle = Settle::of(&claim, finished, self.queue.clock().now_ms());
        self.outcomes.push(Settlement {
            claim,
            settle,
            by_worker,
        });
    }
}

/// Fetches what a job needs, runs it, and stores its result.
async fn run(queue: Queue, handler: Arc<dyn JobHandler>, mut job: ActiveJob) -> Finished {
    let claim = job.claim.clone();
    if claim.args_in_own_key {
        match queue.load_args(&claim.attempt.id).await {
            Ok(Some(args)) => job.loaded_args = Some(args.into()),
            Ok(None) => {
                let reason = "the job's arguments are gone".to_owned();
                return Outcome::Fail { reason }.into();
            }
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::warn!(error, "the job's arguments could not be read");
                return Outcome::Snooze {
                    after: ARGUMENTS_WAIT,
                }
                .into();
            }
        }
    }
    let outcome = handler.run(job).await;
    let Outcome::Done(result) = &outcome else {
        return outcome.into();
    };
    // The result is stored before the outcome is settled, so that no completed job lacks
    // its result. Its key contains the fence, so an attempt that lost its lease cannot
    // overwrite the result that counts.
    let stored = queue
        .store_result(&claim.attempt, &result.to_string())
        .await;
    let result_in = stored.unwrap_or_else(|error| {
        // The job's work is done. A result that cannot be stored must not undo it.
        let error = telemetry::chain(&error);
        tracing::warn!(error, "the job's result could not be stored");
        Some(StoredResult::Dropped)
    });
    Finished { outcome, result_in }
}
