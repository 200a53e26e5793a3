//! Deleting finished jobs in time.

use std::time::Duration;

use crate::queue::moment::day;
use crate::queue::scripts::RetainRequest;
use crate::queue::{Error, Queue};
use crate::telemetry;

/// The most jobs one call forgets; keeps the script short.
const BATCH: u64 = 200;

/// How often retention runs while jobs are worked on.
const INTERVAL: Duration = Duration::from_secs(300);

/// Counters of a day stay this long. Each of the next seven days removes them, so that a
/// day without a run leaves none behind.
const COUNTER_DAYS: i64 = 35;

impl Queue {
    /// Retention, when it last ran `at` long ago, or at an unknown time and jobs have
    /// `finished` since. A failure is left to the next; answers how many went.
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

    /// Forgets finished jobs beyond their age and number; answers how many went.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn retain(&self) -> Result<usize, Error> {
        self.forget(false).await
    }

    /// As [`Queue::retain`], one command cheaper when nothing goes: drainers then do
    /// not know that it ran.
    ///
    /// # Errors
    /// When Redis cannot be asked.
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
            // After the jobs: cut here, they have an expiry. Before them, a job could be read
            // without its arguments.
            self.delete_blobs(&blobs).await?;
            forgotten += ids.len();
            if (ids.len() as u64) < BATCH {
                return Ok(forgotten);
            }
        }
    }
}
