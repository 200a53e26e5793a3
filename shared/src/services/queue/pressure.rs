//! How far behind a queue is: less than [`super::Stats`] tells, for a third of it.

use super::{Error, JobState, Queue};
use crate::redis::Pipeline;
use crate::redis::commands::sorted_sets::{Range, zcount, zrange_with_scores};

/// What waits, and what has failed for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// Jobs that are due.
    pub waiting: u64,
    /// How long the one that comes next has waited, in milliseconds; 0 when none does.
    pub oldest_waiting_ms: u64,
    /// The dead letters.
    pub failed: u64,
}

impl Queue {
    /// How far behind the queue is: three commands in one request.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn pressure(&self) -> Result<Pressure, Error> {
        let (low, high) = JobState::Waiting.band();
        let next = Range::Score {
            min: 0.0,
            max: high,
            offset: 0,
            limit: 1,
        };
        let mut pipeline = Pipeline::new();
        let waiting = pipeline.add(zcount(&self.keys.index, low, high));
        let next = pipeline.add(zrange_with_scores(&self.keys.index, next));
        let (low, high) = JobState::Failed.band();
        let failed = pipeline.add(zcount(self.set_of(JobState::Failed), low, high));
        let mut replies = pipeline.send(&*self.redis).await?;
        let waiting = replies.take(waiting)?;
        let since = self.waiting_since(&replies.take(next)?);
        let now = self.clock.now_ms();
        Ok(Pressure {
            waiting,
            oldest_waiting_ms: since.map_or(0, |since| (now - since).max(0).unsigned_abs()),
            failed: replies.take(failed)?,
        })
    }
}
