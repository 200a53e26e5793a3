//! What runs a job, and what it is given and asked while it runs.

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
    /// Runs a job to an outcome. It may run twice, also at the same time, when a
    /// lease was lost: what it writes outside must be harmless twice or carry the
    /// fence.
    fn run(&self, job: ActiveJob) -> BoxFuture<'static, Outcome>;

    /// Called for a job that ended without its handler's knowing (its lease ended too
    /// often, or it was cancelled and its worker died).
    fn ended(&self, job: EndedJob) -> BoxFuture<'static, ()>;
}

/// A job while it runs: its [`Claim`], and how long and whether it may go on. Cheap to
/// clone.
#[derive(Clone)]
pub struct ActiveJob {
    pub(super) claim: Arc<Claim>,
    /// Those that have a key of their own, once they are read.
    pub(super) loaded_args: Option<Arc<str>>,
    pub(super) until: Deadline,
    pub(super) signal: watch::Receiver<Signal>,
}

/// What a running job is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Nothing.
    GoOn,
    /// The invocation ends soon: return [`Outcome::Snooze`].
    HandBack,
    /// Somebody cancelled the job: return [`Outcome::Cancelled`].
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
            // The worker is gone, and with it the lease.
            Err(_) => Signal::HandBack,
        }
    }
}

/// A job that ended without its handler's knowing: its last [`Claim`], and how it ended.
#[derive(Clone, Debug)]
pub struct EndedJob {
    pub(super) claim: Arc<Claim>,
    /// Whether it was cancelled; it failed otherwise.
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
    /// The arguments, as JSON; `null` when they are in a key of their own, which is not
    /// read for this.
    pub fn args(&self) -> &str {
        &self.claim.args
    }
}

/// How a run of a job ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Done, with a result to show.
    Done(Value),
    /// Failed; worth another attempt, after the backoff or the wait given.
    Retry {
        /// Shown as the error of the attempt.
        reason: String,
        /// The wait in place of the backoff.
        after: Option<Duration>,
    },
    /// Not done and nothing wrong: go on after this long. Costs no attempt.
    Snooze {
        /// The wait.
        after: Duration,
    },
    /// Failed in a way another attempt would repeat.
    Fail {
        /// Shown as the error of the job.
        reason: String,
    },
    /// Not to be done after all: ends as cancelled, with the reason.
    Unwanted {
        /// Shown as the error of the job.
        reason: String,
    },
    /// It was cancelled, and has stopped.
    Cancelled,
}
