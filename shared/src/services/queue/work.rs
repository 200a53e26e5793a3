//! The jobs of a drain: each a task of its own, whose end is noted for the next
//! round.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinError;
use tracing::Instrument as _;

use super::drain::Drain;
use super::handler::{JobHandler, Outcome, Signal, lock};
use super::running::{Running, Unsettled};
use super::scripts::Settle;
use super::span::span;
use super::spec::StoredResult;
use super::tick::Claimed;
use super::{ActiveJob, Attempt, Queue};
use crate::panics::caught;
use crate::telemetry;

/// How long a job waits whose arguments could not be read.
const ARGUMENTS_WAIT: Duration = Duration::from_secs(5);

/// How a run ended, and where its result is.
pub(super) struct Finished {
    outcome: Outcome,
    result_in: Option<StoredResult>,
}

impl From<Outcome> for Finished {
    fn from(outcome: Outcome) -> Finished {
        Finished {
            outcome,
            result_in: None,
        }
    }
}

impl Drain<'_> {
    pub(super) fn start(&mut self, job: Claimed, at: Duration) {
        let (sender, receiver) = watch::channel(Signal::GoOn);
        let checkpoint = Arc::new(Mutex::new(job.checkpoint.clone()));
        let attempt = job.attempt.clone();
        let number = Some(job.number);
        let span = span(&attempt, &job.kind, number, job.traceparent.as_deref());
        span.in_scope(|| tracing::info!("job started"));
        let now = self.queue.clock().elapsed();
        let left = self.deadline.remaining();
        let until_hand_back = left.saturating_sub(self.margins.hand_back);
        let budget = job
            .timeout
            .map_or(until_hand_back, |t| t.min(until_hand_back));
        let running = Running {
            kind: job.kind.clone(),
            args: job.args.clone(),
            signal: sender,
            renewed_at: at,
            backoff: job.backoff.clone(),
            jitter: job.jitter,
            timeout: job.timeout.map(|timeout| (now + timeout, timeout)),
            args_apart: job.args_apart,
            related: job.related.clone(),
            number: job.number,
            checkpoint: checkpoint.clone(),
            span: span.clone(),
            task: self.tasks.spawn({
                let (queue, handler) = (self.queue.clone(), self.handler.clone());
                let (attempt, args_apart) = (attempt.clone(), job.args_apart);
                let until = self.queue.clock().deadline(budget);
                let job = job.into_active(receiver, checkpoint, until);
                let work = async move {
                    let run = run(queue, handler, job, args_apart);
                    // A panic ends this job only.
                    (attempt, caught(run).await.ok())
                };
                work.instrument(span)
            }),
        };
        self.running.insert(attempt, running);
    }

    pub(super) fn finished(
        &mut self,
        done: Option<Result<(Attempt, Option<Finished>), JoinError>>,
    ) {
        match done {
            Some(Ok((attempt, Some(finished)))) => self.record(&attempt, finished, false),
            Some(Ok((attempt, None))) => self.end(&attempt, "the handler panicked".to_owned()),
            // Aborted: its lease was lost, or it is being given back.
            Some(Err(_)) | None => self.running.retain(|_, job| !job.task.is_finished()),
        }
    }

    /// Ends an attempt whose handler says nothing more.
    pub(super) fn end(&mut self, attempt: &Attempt, reason: String) {
        let outcome = Outcome::Retry {
            reason,
            after: None,
        };
        self.record(attempt, outcome.into(), true);
    }

    pub(super) fn record(&mut self, attempt: &Attempt, finished: Finished, silent: bool) {
        let Some(job) = self.running.remove(attempt) else {
            return;
        };
        let Finished { outcome, result_in } = finished;
        job.span.in_scope(|| match &outcome {
            Outcome::Retry { reason, .. } => tracing::warn!(reason, "attempt failed"),
            Outcome::Fail { reason } => tracing::warn!(reason, "job failed"),
            Outcome::Unwanted { reason } => tracing::info!(reason, "job not wanted"),
            Outcome::Done(_) | Outcome::Snooze { .. } | Outcome::Cancelled => {}
        });
        let random = if job.jitter { fastrand::f64() } else { 1.0 };
        let backoff = job.backoff.delay(job.number, random);
        let checkpoint = lock(&job.checkpoint).clone();
        let now = self.queue.clock().now_ms();
        let mut settle = Settle::of(attempt, outcome, backoff, checkpoint, result_in, now);
        settle.read = job.related;
        self.outcomes.push(Unsettled {
            settle,
            attempt: attempt.clone(),
            kind: job.kind,
            args: job.args,
            silent,
            args_apart: job.args_apart,
            span: job.span,
        });
    }
}

/// Fetches what a job needs, runs it, and puts its result where it belongs.
async fn run(
    queue: Queue,
    handler: Arc<dyn JobHandler>,
    mut job: ActiveJob,
    args_apart: bool,
) -> Finished {
    let attempt = job.attempt.clone();
    if args_apart {
        match queue.load_args(&attempt.id).await {
            Ok(Some(args)) => job.args = args,
            Ok(None) => {
                let reason = "the job's arguments are gone".to_owned();
                return Outcome::Fail { reason }.into();
            }
            Err(error) => {
                let error = telemetry::chain(&error);
                tracing::warn!(error, "arguments were not read");
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
    let stored = queue.store_result(&attempt, &result.to_string()).await;
    let result_in = stored.unwrap_or_else(|error| {
        // What the job did is done: a result nobody can read must not undo it.
        let error = telemetry::chain(&error);
        tracing::warn!(error, "result dropped");
        Some(StoredResult::Dropped)
    });
    Finished { outcome, result_in }
}
