//! The operator's side: cancel, change, redrive and purge jobs, and pause the queue.
//!
//! | file | content |
//! |---|---|
//! | `mod` | changing jobs, and the whole queue |
//! | `inspector` | reading and listing jobs |
//! | `referenced` | the state of jobs that other modules' records name |
//! | `stats` | counts, ages and throughput |
//! | `retention` | deleting finished jobs after a time |
//! | `audit` | repairing a queue after writes were lost |

mod audit;
mod inspector;
mod referenced;
mod retention;
mod stats;

pub use audit::Audited;
pub use inspector::Cursor;
pub use referenced::Referenced;
pub use stats::{Counts, Pressure, Stats, Totals};

use super::layout::PAUSE;
use super::scripts::{JobRequest, RedriveRequest};
use super::{Error, JobId, JobState, Queue};
use crate::redis::commands::SortedSets as _;
use crate::redis::commands::keys::persist;
use crate::redis::commands::sorted_sets::Range;
use crate::redis::{Exchange, Pipeline};

/// The number of jobs that one call redrives.
const BATCH: usize = 100;

/// The result of cancelling a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// The job will not run.
    Done,
    /// The job is running. Its handler is asked to stop at the next renewal, within 20 s.
    Requested,
    /// The job had already finished, in this state.
    Finished(JobState),
    /// The job does not exist.
    Unknown,
}

/// The result of changing a job's priority or time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The job has the new priority or time.
    Done,
    /// The job is running. The priority applies to its next attempt, if there is one.
    NextAttempt,
    /// The job is running, so its time can no longer be changed.
    Active,
    /// The job had already finished, in this state.
    Finished(JobState),
    /// The job does not exist.
    Unknown,
}

/// The result of redriving a failed or cancelled job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redriven {
    /// The job waits to run again.
    Done,
    /// The job is neither failed nor cancelled, but in this state.
    NotFailed(JobState),
    /// An unfinished job has the job's unique key.
    UniqueTaken,
    /// The job does not exist.
    Unknown,
}

/// The result of purging a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purged {
    /// The job was deleted.
    Done,
    /// The job is unfinished and was not deleted.
    Unfinished,
    /// The job does not exist.
    Unknown,
}

impl Queue {
    /// Cancels a job. If it is running, its handler is asked to stop.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn cancel(&self, id: &JobId) -> Result<Cancelled, Error> {
        let word = self.scripts().cancel(&self.request(id)).await?;
        Ok(self.cancelled(id, &word).await)
    }

    /// Like [`Queue::cancel`], and also returns the kind of the job, if it exists.
    ///
    /// # Errors
    /// As [`Queue::cancel`].
    pub async fn cancel_with_kind(&self, id: &JobId) -> Result<(Cancelled, Option<String>), Error> {
        let request = JobRequest {
            kind: true,
            ..self.request(id)
        };
        let answer = self.scripts().cancel(&request).await?;
        let (word, kind) = match answer.split_once(' ') {
            Some((word, kind)) => (word, Some(kind.to_owned())),
            None => (answer.as_str(), None),
        };
        Ok((self.cancelled(id, word).await, kind))
    }

    async fn cancelled(&self, id: &JobId, word: &str) -> Cancelled {
        if word == "large" {
            self.let_args_expire(std::slice::from_ref(id)).await;
        }
        match word {
            "cancelled" | "large" => Cancelled::Done,
            "requested" => Cancelled::Requested,
            other => JobState::parse(other).map_or(Cancelled::Unknown, Cancelled::Finished),
        }
    }

    /// Gives an unfinished job another priority, another time, or both. A time in the past
    /// means now.
    ///
    /// # Errors
    /// [`Error::Invalid`] says what is wrong.
    pub async fn change(
        &self,
        id: &JobId,
        priority: Option<u8>,
        run_at_ms: Option<i64>,
    ) -> Result<Changed, Error> {
        if priority.is_some_and(|priority| !(1..=10).contains(&priority)) {
            let reason = "priority: expected a whole number from 1 to 10";
            return Err(Error::Invalid(reason.to_owned()));
        }
        let furthest = self.clock.now_ms().saturating_add(366 * 86_400_000);
        if run_at_ms.is_some_and(|at| at < 0 || at > furthest) {
            let reason = "runAt: expected unix milliseconds, at most a year ahead";
            return Err(Error::Invalid(reason.to_owned()));
        }
        let request = JobRequest {
            priority,
            run_at: run_at_ms,
            ..self.request(id)
        };
        let word = self.scripts().change(&request).await?;
        Ok(match word.as_str() {
            "changed" => Changed::Done,
            "next" => Changed::NextAttempt,
            "active" => Changed::Active,
            other => JobState::parse(other).map_or(Changed::Unknown, Changed::Finished),
        })
    }

    /// Runs a failed or cancelled job again, from its first attempt.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn redrive(&self, id: &JobId) -> Result<Redriven, Error> {
        self.redrive_once(id, None).await
    }

    /// Like [`Queue::redrive`], and makes an exchange in the same step. The exchange is
    /// made only if the job is redriven.
    ///
    /// # Errors
    /// As [`Queue::redrive`]. It also fails if the exchange's key holds neither of its
    /// values; nothing is done then.
    pub async fn redrive_once(
        &self,
        id: &JobId,
        exchange: Option<&Exchange>,
    ) -> Result<Redriven, Error> {
        let mut redriven = self
            .redrive_part(std::slice::from_ref(id), exchange)
            .await?;
        Ok(redriven.pop().unwrap_or(Redriven::Unknown))
    }

    /// Like [`Queue::redrive`], for many jobs.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn redrive_many(&self, ids: &[JobId]) -> Result<Vec<Redriven>, Error> {
        let mut redriven = Vec::with_capacity(ids.len());
        for part in ids.chunks(BATCH) {
            redriven.extend(self.redrive_part(part, None).await?);
        }
        Ok(redriven)
    }

    async fn redrive_part(
        &self,
        ids: &[JobId],
        exchange: Option<&Exchange>,
    ) -> Result<Vec<Redriven>, Error> {
        let request = RedriveRequest {
            moment: self.moment(self.clock.now_ms()),
            ids: ids.iter().map(JobId::as_str).collect(),
        };
        let words = self.scripts().redrive(&request, exchange).await?;
        for (id, word) in ids.iter().zip(&words) {
            if word == "large" {
                // The arguments got an expiry when the job ended. It is removed first, and
                // only then is the exchange made, because a job that runs again must find
                // its arguments.
                let mut pipeline = Pipeline::new();
                let persisted = pipeline.add(persist(&self.keys.args(id)));
                if let Some(exchange) = exchange {
                    pipeline.add(exchange.command());
                }
                pipeline.send(&*self.redis).await?.take(persisted)?;
            }
        }
        let redriven = words.iter().map(|word| match word.as_str() {
            "redriven" | "large" => Redriven::Done,
            "unique" => Redriven::UniqueTaken,
            other => JobState::parse(other).map_or(Redriven::Unknown, Redriven::NotFailed),
        });
        Ok(redriven.collect())
    }

    /// Redrives all jobs that have failed until now, and returns their number. Jobs whose
    /// unique key belongs to an unfinished job stay failed.
    ///
    /// # Errors
    /// Redis could not be asked. Some jobs may have been redriven by then.
    pub async fn redrive_all(&self) -> Result<u64, Error> {
        let (min, _) = JobState::Failed.band();
        let until = JobState::Failed.score_at(self.clock.now_ms());
        let (mut done, mut stayed) = (0, 0);
        loop {
            let range = Range::Score {
                min,
                max: until,
                offset: stayed,
                limit: BATCH as u64,
            };
            let found = self.redis.zrange(&self.keys.finished, range).await?;
            let ids: Vec<JobId> = found.iter().filter_map(|id| JobId::parse(id)).collect();
            if ids.is_empty() {
                return Ok(done);
            }
            // Jobs that stay failed keep their place in the set, so the next range begins
            // after them. Redriven jobs have left the set, and the jobs after them have
            // moved up.
            for redriven in self.redrive_many(&ids).await? {
                match redriven {
                    Redriven::Done => done += 1,
                    _ => stayed += 1,
                }
            }
        }
    }

    /// Deletes a finished job before retention does.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn purge(&self, id: &JobId) -> Result<Purged, Error> {
        let (word, blobs) = self.scripts().purge(&self.request(id)).await?;
        self.delete_blobs(&blobs).await?;
        Ok(match word.as_str() {
            "purged" => Purged::Done,
            "gone" => Purged::Unknown,
            _ => Purged::Unfinished,
        })
    }

    /// Pauses the queue: no job starts until [`Queue::resume`], and running jobs continue.
    /// Costs drainers nothing. Pausing a paused queue has no effect.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn pause(&self) -> Result<(), Error> {
        // This score is below every job's. A tick that looks for the first job finds the
        // pause instead, so the check costs nothing.
        self.redis.zadd(&self.keys.index, &[(-1.0, PAUSE)]).await?;
        Ok(())
    }

    /// Resumes the queue if it is paused.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn resume(&self) -> Result<(), Error> {
        self.redis.zrem(&self.keys.index, &[PAUSE]).await?;
        Ok(())
    }

    fn request<'a>(&self, id: &'a JobId) -> JobRequest<'a> {
        JobRequest {
            moment: self.moment(self.clock.now_ms()),
            id: id.as_str(),
            kind: false,
            priority: None,
            run_at: None,
        }
    }
}
