//! The worker's entries for the jobs it has claimed: those that run, and outcomes that are
//! not settled yet.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::claim::Claim;
use super::handler::{EndedJob, Outcome, Signal};
use super::tick::Settled;
use crate::queue::scripts::Settle;
use crate::queue::spec::StoredResult;

/// The longest error message that is kept, in bytes. A longer one is cut and marked.
const LONGEST_ERROR: usize = 1024;

/// The worker's view of a running job.
pub(super) struct Running {
    pub claim: Arc<Claim>,
    pub signal: watch::Sender<Signal>,
    pub task: AbortHandle,
    /// When the lease was last renewed, on the monotonic clock.
    pub renewed_at: Duration,
    /// When the attempt times out, on the monotonic clock.
    pub times_out_at: Option<Duration>,
}

/// How a run ended, and where its result is.
pub(super) struct Finished {
    pub outcome: Outcome,
    pub result_in: Option<StoredResult>,
}

impl From<Outcome> for Finished {
    fn from(outcome: Outcome) -> Finished {
        Finished {
            outcome,
            result_in: None,
        }
    }
}

/// An outcome that has to be settled.
pub(super) struct Settlement {
    pub claim: Arc<Claim>,
    pub settle: Settle,
    /// Whether the worker created the outcome, because the handler panicked or was aborted.
    pub by_worker: bool,
}

impl Settlement {
    /// Returns the job if it ended in a way its handler does not know of, because the
    /// handler asked to continue or did not answer.
    pub fn ended(self, settled: Settled) -> Option<EndedJob> {
        let cancelled = settled == Settled::Cancelled && self.settle.outcome != "cancelled";
        let failed = settled == Settled::Failed && self.by_worker;
        (cancelled || failed).then(|| EndedJob {
            claim: self.claim,
            cancelled,
            reason: self.settle.error.unwrap_or_default(),
        })
    }
}

impl Settle {
    /// Builds the report of a run that ended at `now`.
    pub(super) fn of(claim: &Claim, finished: Finished, now: i64) -> Settle {
        let Finished { outcome, result_in } = finished;
        let later = |wait: Duration| Some(now.saturating_add(wait.as_millis() as i64));
        let checkpoint = || claim.checkpoint();
        let (outcome, run_at, data, error) = match outcome {
            Outcome::Done(result) => {
                // Without any data, the script would keep the checkpoint in place, and it
                // would be shown as the result.
                let result = result_in.map_or_else(|| result.to_string(), |_| String::new());
                ("completed", None, Some(result), None)
            }
            Outcome::Retry { reason, after } => {
                let wait = after.unwrap_or_else(|| claim.backoff());
                ("retry", later(wait), checkpoint(), Some(reason))
            }
            Outcome::Snooze { after } => ("snooze", later(after), checkpoint(), None),
            Outcome::Fail { reason } => ("failed", None, None, Some(reason)),
            Outcome::Unwanted { reason } => ("cancelled", None, None, Some(reason)),
            Outcome::Cancelled => ("cancelled", None, None, None),
        };
        Settle {
            id: claim.attempt.id.to_string(),
            fence: claim.attempt.fence,
            outcome,
            data,
            result: result_in,
            run_at,
            error: error.map(|reason| cut(&reason, LONGEST_ERROR)),
            read: claim.related.clone(),
        }
    }
}

/// Cuts `text` to at most `limit` bytes, at a character boundary.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let text = "é".repeat(1000);
        let cut = cut(&text, LONGEST_ERROR);
        assert!(cut.len() <= LONGEST_ERROR && cut.ends_with("é…"));
    }
}
