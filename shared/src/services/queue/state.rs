//! The states of a job.

use serde::{Deserialize, Serialize};

use super::layout::{BAND, EPOCH_MS};

/// The state of a job. `completed`, `failed` and `cancelled` are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It waits for its turn.
    Waiting,
    /// It waits for the time at which it may run, or run again.
    Delayed,
    /// It is running.
    Active,
    /// It has done its work.
    Completed,
    /// It has used up its attempts, or could not succeed.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

impl JobState {
    /// Every state.
    pub const ALL: [JobState; 6] = [
        JobState::Waiting,
        JobState::Delayed,
        JobState::Active,
        JobState::Completed,
        JobState::Failed,
        JobState::Cancelled,
    ];

    /// The word for this state in routes and records.
    pub fn as_str(self) -> &'static str {
        match self {
            JobState::Waiting => "waiting",
            JobState::Delayed => "delayed",
            JobState::Active => "active",
            JobState::Completed => "completed",
            JobState::Failed => "failed",
            JobState::Cancelled => "cancelled",
        }
    }

    /// Returns the state with this word.
    pub fn parse(text: &str) -> Option<JobState> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the job has ended, so that nothing more happens to it by itself.
    pub fn is_finished(self) -> bool {
        matches!(
            self,
            JobState::Completed | JobState::Failed | JobState::Cancelled
        )
    }

    /// The score range of the jobs in this state, inclusive at both ends; see `layout.lua`.
    pub(super) fn band(self) -> (f64, f64) {
        const UNIT: f64 = BAND as f64;
        match self {
            // Includes parked jobs.
            JobState::Waiting => (0.0, 2.0 * UNIT - 1.0),
            JobState::Delayed => (2.0 * UNIT, 4.0 * UNIT - 1.0),
            JobState::Active => (4.0 * UNIT, f64::INFINITY),
            JobState::Completed => (0.0, UNIT - 1.0),
            JobState::Failed => (UNIT, 2.0 * UNIT - 1.0),
            JobState::Cancelled => (2.0 * UNIT, f64::INFINITY),
        }
    }
    /// The score of a job that entered this finished state at `now_ms`.
    pub(super) fn score_at(self, now_ms: i64) -> f64 {
        self.band().0 + (now_ms - EPOCH_MS) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bands_of_a_set_touch_and_hold_every_year_to_2093_exactly() {
        let sets = [
            [JobState::Waiting, JobState::Delayed, JobState::Active],
            [JobState::Completed, JobState::Failed, JobState::Cancelled],
        ];
        for set in sets {
            for pair in set.windows(2) {
                assert_eq!(pair[0].band().1 + 1.0, pair[1].band().0);
            }
        }
        const LAST: i64 = EPOCH_MS + (1 << 41) - 1; // 2093, where 16 * run_at is full
        for at in [EPOCH_MS, EPOCH_MS + 1, LAST] {
            let score = JobState::Cancelled.score_at(at);
            assert_eq!(score - JobState::Cancelled.band().0, (at - EPOCH_MS) as f64);
            let (first, last) = JobState::Delayed.band();
            let delayed = first + 16.0 * (at - EPOCH_MS) as f64 + 10.0;
            assert!((first..=last).contains(&delayed));
        }
    }
}
