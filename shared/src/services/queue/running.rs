//! What a drainer keeps of the jobs it runs.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tracing::Span;

use super::handler::{Checkpoint, Signal};
use super::scripts::Settle;
use super::{Attempt, Backoff, EndedJob, Settled};

/// An outcome, and whose.
#[derive(Clone)]
pub(super) struct Unsettled {
    pub settle: Settle,
    pub attempt: Attempt,
    pub kind: String,
    pub args: String,
    /// The handler ended without a word of its own: it panicked or was aborted.
    pub silent: bool,
    pub args_apart: bool,
    pub span: Span,
}

impl Unsettled {
    /// The job, if it came to an end its handler does not know of: the handler said
    /// that it goes on, or nothing.
    pub fn ended(self, settled: Settled) -> Option<EndedJob> {
        let cancelled = settled == Settled::Cancelled && self.settle.outcome != "cancelled";
        let failed = settled == Settled::Failed && self.silent;
        (cancelled || failed).then(|| EndedJob {
            attempt: self.attempt,
            kind: self.kind,
            args: self.args,
            cancelled,
            reason: self.settle.error.unwrap_or_default(),
            args_apart: self.args_apart,
            span: self.span,
        })
    }
}

/// A job while it runs, as its drainer sees it.
pub(super) struct Running {
    pub kind: String,
    pub args: String,
    pub signal: watch::Sender<Signal>,
    pub task: AbortHandle,
    /// On the monotonic clock.
    pub renewed_at: Duration,
    pub backoff: Backoff,
    pub jitter: bool,
    /// When its attempt has taken too long, and how long that is.
    pub timeout: Option<(Duration, Duration)>,
    pub args_apart: bool,
    pub related: Vec<String>,
    pub number: u32,
    pub checkpoint: Checkpoint,
    pub span: Span,
}
