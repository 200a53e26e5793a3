//! What runs a job, and what it is given and asked while it runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::watch;

use super::{Attempt, EndedJob, JobId};
use crate::clock::Deadline;

/// Runs jobs of the kinds it knows.
pub trait JobHandler: Send + Sync + 'static {
    /// Runs a job to an outcome. It may run twice, also at the same time, when a
    /// lease was lost: what it writes outside must be harmless twice or carry the
    /// fence.
    fn run(&self, job: ActiveJob) -> BoxFuture<'static, Outcome>;

    /// Told of a job that ended without its handler's knowing (its lease ended too
    /// often, or it was cancelled and its drainer died).
    fn ended(&self, job: EndedJob) -> BoxFuture<'static, ()>;
}

/// A job while it runs.
#[derive(Clone)]
pub struct ActiveJob {
    pub attempt: Attempt,
    pub kind: String,
    /// The arguments, as JSON.
    pub args: String,
    /// Which attempt this is, from 1; snoozes and lost leases do not count.
    pub number: u32,
    pub max_attempts: u32,
    /// The job whose completion started this one.
    pub after: Option<JobId>,
    /// The batch whose end this job is; [`Queue::batch`](super::Queue::batch) tells
    /// what came of it.
    pub batch_end: Option<JobId>,
    pub traceparent: Option<String>,
    pub(super) until: Deadline,
    pub(super) signal: watch::Receiver<Signal>,
    pub(super) checkpoint: Checkpoint,
}

/// What a running job is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    GoOn,
    /// The invocation ends soon: return [`Outcome::Snooze`].
    HandBack,
    /// Somebody cancelled the job: return [`Outcome::Cancelled`].
    Cancel,
}

impl ActiveJob {
    /// Whether the job fails for good if this attempt fails.
    pub fn is_last_attempt(&self) -> bool {
        self.number >= self.max_attempts
    }

    /// Claims of this job so far, higher than in any attempt before: what is written
    /// outside under a lower one came from an attempt that had lost the job.
    pub fn fence(&self) -> u64 {
        self.attempt.fence
    }

    /// How long the attempt may still take: until its own timeout or until the
    /// invocation wants the job handed back, whichever comes first.
    pub fn time_left(&self) -> Duration {
        self.until.remaining()
    }

    /// What the job is asked to do now.
    pub fn signal(&self) -> Signal {
        *self.signal.borrow()
    }

    /// Waits until it is asked to do something else than go on.
    pub async fn interrupted(&mut self) -> Signal {
        match self.signal.wait_for(|signal| *signal != Signal::GoOn).await {
            Ok(signal) => *signal,
            // The drainer is gone, and with it the lease.
            Err(_) => Signal::HandBack,
        }
    }

    /// Where an earlier attempt or snooze left off, as JSON.
    pub fn checkpoint(&self) -> Option<String> {
        lock(&self.checkpoint).clone()
    }

    /// Remembers where to go on; stored when the job is handed back or retried.
    pub fn set_checkpoint(&self, checkpoint: String) {
        *lock(&self.checkpoint) = Some(checkpoint);
    }
}

/// How a run of a job ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Done, with a result to show.
    Done(Value),
    /// Failed; worth another attempt, after the backoff or the wait given.
    Retry {
        reason: String,
        after: Option<Duration>,
    },
    /// Not done and nothing wrong: go on after this long. Costs no attempt.
    Snooze {
        after: Duration,
    },
    /// Failed in a way another attempt would repeat.
    Fail {
        reason: String,
    },
    /// Not to be done after all: ends as cancelled, with the reason.
    Unwanted {
        reason: String,
    },
    Cancelled,
}

/// Where a job left off, shared between its handler and the drainer.
pub(super) type Checkpoint = Arc<Mutex<Option<String>>>;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
