//! Batches: many jobs, and a last job that runs when all of them have ended.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{Enqueued, MOST, NewJob, Ready, enqueued};
use crate::queue::layout::SPEC_VERSION;
use crate::queue::scripts::EnqueueBatch;
use crate::queue::{Error, JobId, Queue};
use crate::redis::commands::Hashes as _;

/// The most jobs of a batch.
const LARGEST: usize = 10_000;

/// The progress of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchState {
    /// The number of jobs in the batch.
    pub total: u64,
    /// Jobs that have not ended yet.
    pub left: u64,
    /// Jobs that completed.
    #[serde(default)]
    pub completed: u64,
    /// Jobs that failed for good.
    #[serde(default)]
    pub failed: u64,
    /// Jobs that were cancelled.
    #[serde(default)]
    pub cancelled: u64,
}

impl Queue {
    /// Stores jobs as a batch. The batch's id is the id of `last`, which is stored exactly
    /// once, when each of the jobs has completed, failed or been cancelled. A job that is
    /// redriven later does not count again. A batch has up to 10,000 jobs, which are sent
    /// in calls of a hundred. If the calls are interrupted, the whole batch may be sent
    /// again. The jobs must not have unique keys.
    ///
    /// # Errors
    /// As [`Queue::enqueue_many`].
    pub async fn enqueue_batch(
        &self,
        jobs: Vec<NewJob>,
        last: NewJob,
    ) -> Result<Vec<Enqueued>, Error> {
        if jobs.is_empty() || jobs.len() > LARGEST {
            return Err(Error::Invalid(format!("expected 1 to {LARGEST} jobs")));
        }
        let now = self.clock.now_ms();
        last.check_successor(now)?;
        let ids: HashSet<&JobId> = jobs.iter().chain([&last]).map(|job| &job.id).collect();
        // Two jobs with one id would be stored as one, and the batch would wait forever.
        if ids.len() <= jobs.len() {
            let reason = "id: expected a different id for each job";
            return Err(Error::Invalid(reason.to_owned()));
        }
        for job in &jobs {
            job.check(now)?;
            // A duplicate is not stored, so the batch would wait for it forever.
            if job.unique.is_some() {
                let reason = "unique: expected no unique key for the jobs of a batch";
                return Err(Error::Invalid(reason.to_owned()));
            }
        }
        let id = last.id.to_string();
        let defaults = self.defaults(now);
        let mut end = last.successor(defaults);
        end.spec.batch_end = Some(id.clone());
        end.spec.v = SPEC_VERSION;
        let batch = EnqueueBatch {
            id: &id,
            total: jobs.len(),
            last: &end,
        };
        // The first call stores the total number of jobs, so the batch cannot end before
        // the last part is stored, however fast the first jobs run. A part that is sent
        // again stores nothing twice.
        let mut stored = Vec::with_capacity(jobs.len());
        for part in jobs.chunks(MOST) {
            let ready = part.iter().map(|job| Ready::new(job, defaults));
            let mut ready: Vec<Ready<'_>> = ready.collect();
            for ready in &mut ready {
                ready.spec.batch = Some(id.clone());
                ready.spec.v = SPEC_VERSION;
            }
            let answers = self.store(ready, Some(batch.clone()), None, now).await?;
            for (job, answer) in part.iter().zip(answers) {
                stored.push(enqueued(job.id.clone(), answer)?);
            }
        }
        self.publish_created(&stored).await;
        Ok(stored)
    }

    /// Returns the progress of the batch whose last job has this id, or `None` if retention
    /// has removed that job.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn batch(&self, last: &JobId) -> Result<Option<BatchState>, Error> {
        let field = format!("b:{last}");
        let Some(text) = self.redis.hget(&self.keys.records, &field).await? else {
            return Ok(None);
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|source| Error::Unreadable {
                id: last.to_string(),
                source,
            })
    }
}
