//! The results of a drain, for its caller and the metrics.

use serde::Serialize;

use super::tick::Settled;

/// The results of a drain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DrainReport {
    /// Attempts begun.
    pub claimed: u32,
    /// Jobs that completed.
    pub completed: u32,
    /// Jobs that failed for good.
    pub failed: u32,
    /// Attempts that failed and will be repeated.
    pub retried: u32,
    /// Attempts that were snoozed and continue later.
    pub snoozed: u32,
    /// Jobs that ended cancelled.
    pub cancelled: u32,
    /// Outcomes that were not accepted because the lease was lost.
    pub lost: u32,
    /// Jobs that this worker's rounds ended before they could run: their lease had ended
    /// too often, or they expired before they began.
    pub swept: u32,
    /// Finished jobs that retention removed.
    pub forgotten: u32,
    /// Calls of the script `tick`.
    pub rounds: u32,
}

impl DrainReport {
    /// Adds the results of another drain.
    pub fn add(&mut self, other: &DrainReport) {
        self.claimed += other.claimed;
        self.completed += other.completed;
        self.failed += other.failed;
        self.retried += other.retried;
        self.snoozed += other.snoozed;
        self.cancelled += other.cancelled;
        self.lost += other.lost;
        self.swept += other.swept;
        self.forgotten += other.forgotten;
        self.rounds += other.rounds;
    }

    /// Jobs that this worker no longer holds.
    pub(super) fn ended(&self) -> u32 {
        self.completed + self.failed + self.retried + self.snoozed + self.cancelled + self.lost
    }

    /// Counts an outcome. Returns true if it was not accepted.
    pub(super) fn count(&mut self, settled: Settled) -> bool {
        match settled {
            Settled::Completed => self.completed += 1,
            Settled::Failed => self.failed += 1,
            Settled::Cancelled => self.cancelled += 1,
            Settled::Retried => self.retried += 1,
            Settled::Snoozed => self.snoozed += 1,
            Settled::Duplicate | Settled::Lost | Settled::Gone => {
                self.lost += 1;
                return true;
            }
        }
        false
    }
}
