//! The handler that runs a job, and its interface to the worker while the job runs.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::watch;

use super::claim::Claim;
use crate::clock::Deadline;

/// Runs jobs of the kinds it knows.
pub trait JobHandler: Send + Sync + 'static {
    /// Runs a job to an outcome. After a lost lease, a job may run twice, even at the same
    /// time. Whatever it writes outside of the queue must be harmless when written twice,
    /// or carry the fence.
    fn run(&self, job: ActiveJob) -> BoxFuture<'static, Outcome>;

    /// Called for a job that ended while its handler was not running, for example because
    /// its lease ended too often, or because it was cancelled after its worker died.
    fn ended(&self, job: EndedJob) -> BoxFuture<'static, ()>;
}

/// A job while it runs: its [`Claim`], its remaining time, and the signal to stop. Cheap to
/// clone.
#[derive(Clone)]
pub struct ActiveJob {
    pub(super) claim: Arc<Claim>,
    /// The arguments, if they were read from a key of their own.
    pub(super) loaded_args: Option<Arc<str>>,
    pub(super) until: Deadline,
    pub(super) signal: watch::Receiver<Signal>,
}

/// What the worker asks a running job to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Continue.
    GoOn,
    /// The invocation ends soon. Return [`Outcome::Snooze`].
    HandBack,
    /// Somebody cancelled the job. Return [`Outcome::Cancelled`].
    Cancel,
}

impl Deref for ActiveJob {
    type Target = Claim;

    fn deref(&self) -> &Claim {
        &self.claim
    }
}

impl ActiveJob {
    /// The arguments, as JSON.
    pub fn args(&self) -> &str {
        self.loaded_args.as_deref().unwrap_or(&self.claim.args)
    }

    /// How long the attempt may still take: until its own timeout, or until the invocation
    /// asks for the job back, whichever comes first.
    pub fn time_left(&self) -> Duration {
        self.until.remaining()
    }

    /// The current signal.
    pub fn signal(&self) -> Signal {
        *self.signal.borrow()
    }

    /// Waits for a signal other than [`Signal::GoOn`].
    pub async fn interrupted(&mut self) -> Signal {
        match self.signal.wait_for(|signal| *signal != Signal::GoOn).await {
            Ok(signal) => *signal,
            // The worker is gone, and the lease with it.
            Err(_) => Signal::HandBack,
        }
    }
}

/// A job that ended while its handler was not running: its last [`Claim`], and how it
/// ended.
#[derive(Clone, Debug)]
pub struct EndedJob {
    pub(super) claim: Arc<Claim>,
    /// Whether the job was cancelled. If not, it failed.
    pub cancelled: bool,
    /// Why it ended.
    pub reason: String,
}

impl Deref for EndedJob {
    type Target = Claim;

    fn deref(&self) -> &Claim {
        &self.claim
    }
}

impl EndedJob {
    /// The arguments, as JSON, or `null` if they are in a key of their own, which is not
    /// read here.
    pub fn args(&self) -> &str {
        &self.claim.args
    }
}

/// How a job's run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The job is done, with this result.
    Done(Value),
    /// The attempt failed, and another may succeed. It follows after the backoff, or after
    /// the given wait.
    Retry {
        /// The error of the attempt, as shown to people.
        reason: String,
        /// Replaces the backoff's wait.
        after: Option<Duration>,
    },
    /// The job is not done, but nothing is wrong. It continues after the given wait, which
    /// costs no attempt.
    Snooze {
        /// How long to wait.
        after: Duration,
    },
    /// The job failed, and another attempt would fail in the same way.
    Fail {
        /// The error of the job, as shown to people.
        reason: String,
    },
    /// The job should not be done after all. It ends as cancelled with this reason.
    Unwanted {
        /// The reason, as shown to people.
        reason: String,
    },
    /// The job was cancelled and has stopped.
    Cancelled,
}
