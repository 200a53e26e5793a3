//! The operator's side: cancel, change, redrive and purge jobs, pause the queue.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod` | changing what becomes of jobs, and of the whole queue |
//! | `inspector` | reading and listing jobs |
//! | `referenced` | the state of jobs that records of other modules name |
//! | `stats` | counts, ages and throughput |
//! | `retention` | deleting finished jobs in time |
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

/// Jobs redriven by one call.
const BATCH: usize = 100;

/// What became of a job that was to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It will not run.
    Done,
    /// It runs; its handler is asked to stop at the next renewal, within 20 s.
    Requested,
    /// It had finished already, in this state.
    Finished(JobState),
    /// There is no such job.
    Unknown,
}

/// What became of a job whose priority or time was to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It has the new priority or time.
    Done,
    /// It runs: the priority is that of its next attempt, should there be one.
    NextAttempt,
    /// It runs: its time has come and cannot be changed.
    Active,
    /// It had finished already, in this state.
    Finished(JobState),
    /// There is no such job.
    Unknown,
}

/// What became of a failed job that was to run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redriven {
    /// It waits to run.
    Done,
    /// It is in this state, not failed or cancelled.
    NotFailed(JobState),
    /// An unfinished job has its unique key.
    UniqueTaken,
    /// There is no such job.
    Unknown,
}

/// What became of a job that was to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purged {
    /// It is gone.
    Done,
    /// It waits or runs, and was left alone.
    Unfinished,
    /// There is no such job.
    Unknown,
}

impl Queue {
    /// Ends a job, or asks the one that runs it to stop.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn cancel(&self, id: &JobId) -> Result<Cancelled, Error> {
        let word = self.scripts().cancel(&self.request(id)).await?;
        if word == "large" {
            self.let_args_expire(std::slice::from_ref(id)).await;
        }
        Ok(match word.as_str() {
            "cancelled" | "large" => Cancelled::Done,
            "requested" => Cancelled::Requested,
            other => JobState::parse(other).map_or(Cancelled::Unknown, Cancelled::Finished),
        })
    }

    /// Gives an unfinished job another priority, another time to run, or both. A
    /// time that has passed is now.
    ///
    /// # Errors
    /// [`Error::Invalid`] names what is wrong.
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

    /// Lets a failed or cancelled job run again from its first attempt.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn redrive(&self, id: &JobId) -> Result<Redriven, Error> {
        self.redrive_once(id, None).await
    }

    /// As [`Queue::redrive`], together with an exchange, which is made if the job is
    /// redriven.
    ///
    /// # Errors
    /// As [`Queue::redrive`]; also when the exchange's key holds neither value, and
    /// nothing was done then.
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

    /// As [`Queue::redrive`], many at once.
    ///
    /// # Errors
    /// When Redis cannot be asked.
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
                // Its arguments had an expiry since it ended. They lose it first, and only
                // then is the exchange made: a job that runs again must find them.
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

    /// Lets all jobs run again that have failed until now; answers how many. Those
    /// whose unique key an unfinished job has stay.
    ///
    /// # Errors
    /// When Redis cannot be asked; some may be redriven by then.
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
            // Those that stay keep their place in the set, so the next range begins behind them;
            // those redriven left it, and what followed has moved up.
            for redriven in self.redrive_many(&ids).await? {
                match redriven {
                    Redriven::Done => done += 1,
                    _ => stayed += 1,
                }
            }
        }
    }

    /// Forgets a finished job before its time.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn purge(&self, id: &JobId) -> Result<Purged, Error> {
        let (word, blobs) = self.scripts().purge(&self.request(id)).await?;
        self.delete_blobs(&blobs).await?;
        Ok(match word.as_str() {
            "purged" => Purged::Done,
            "gone" => Purged::Unknown,
            _ => Purged::Unfinished,
        })
    }

    /// Lets no job begin until [`Queue::resume`]; those that run go on. Costs
    /// drainers nothing. Twice is once.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn pause(&self) -> Result<(), Error> {
        // Below every job's score: whoever looks for the first job finds the pause instead, so
        // it costs a tick nothing.
        self.redis.zadd(&self.keys.index, &[(-1.0, PAUSE)]).await?;
        Ok(())
    }

    /// Ends a pause, if there is one.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn resume(&self) -> Result<(), Error> {
        self.redis.zrem(&self.keys.index, &[PAUSE]).await?;
        Ok(())
    }

    fn request<'a>(&self, id: &'a JobId) -> JobRequest<'a> {
        JobRequest {
            moment: self.moment(self.clock.now_ms()),
            id: id.as_str(),
            priority: None,
            run_at: None,
        }
    }
}
