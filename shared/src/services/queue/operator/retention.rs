//! Retention: deletes finished jobs after a time.

use std::time::Duration;

use crate::queue::moment::day;
use crate::queue::scripts::RetainRequest;
use crate::queue::{Error, Queue};
use crate::telemetry;

/// The largest number of jobs that one call deletes, which keeps the script short.
const BATCH: u64 = 200;

/// How often retention runs while jobs are processed.
const INTERVAL: Duration = Duration::from_secs(300);

/// How many days the daily counters are kept. Each of the next seven days removes them, so
/// a day without a run leaves none behind.
const COUNTER_DAYS: i64 = 35;

impl Queue {
    /// Runs retention if it is due. `at` is when it last ran; if that is unknown, it is due
    /// if jobs have `finished`. A failure is left to the next run. Returns how many jobs
    /// were deleted.
    pub(in crate::services::queue) async fn retain_if_due(
        &self,
        at: Option<i64>,
        finished: bool,
    ) -> u32 {
        let interval = INTERVAL.as_millis() as i64;
        if !at.map_or(finished, |at| self.clock.now_ms() - at >= interval) {
            return 0;
        }
        match self.retain().await {
            Ok(forgotten) => u32::try_from(forgotten).unwrap_or(u32::MAX),
            Err(error) => {
                tracing::warn!(error = telemetry::chain(&error), "retention failed");
                0
            }
        }
    }

    /// Deletes finished jobs that are too old or too many, and returns how many.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn retain(&self) -> Result<usize, Error> {
        self.forget(false).await
    }

    /// Like [`Queue::retain`], but one command cheaper if nothing is deleted, because it
    /// does not record for drainers that it ran.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn retain_idle(&self) -> Result<usize, Error> {
        self.forget(true).await
    }

    async fn forget(&self, quiet: bool) -> Result<usize, Error> {
        let now = self.clock.now_ms();
        let before = |age: Duration| now - i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let mut forgotten = 0;
        loop {
            let request = RetainRequest {
                moment: self.moment(now),
                completed_before: before(self.config.completed_age),
                failed_before: before(self.config.failed_age),
                completed_count: self.config.completed_count,
                batch: BATCH,
                quiet,
                days: (COUNTER_DAYS..COUNTER_DAYS + 7)
                    .map(|days| day(now - days * 86_400_000))
                    .collect(),
            };
            let (ids, blobs) = self.scripts().retain(&request).await?;
            // Deleted after the jobs. If this is interrupted, the blobs still have an
            // expiry. In the other order, a job could be read without its arguments.
            self.delete_blobs(&blobs).await?;
            forgotten += ids.len();
            if (ids.len() as u64) < BATCH {
                return Ok(forgotten);
            }
        }
    }
}
