//! Storing jobs.

use super::scripts::{EnqueueJob, EnqueueRequest, Scripts};
use super::{Error, JobId, NewJob, Queue};

/// The most jobs of one call.
const MOST: usize = 100;

/// What became of a job that was to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued {
    New(JobId),
    /// An unfinished job with the same unique key stands for it.
    Duplicate(JobId),
}

impl Enqueued {
    /// The job that will run.
    pub fn id(&self) -> &JobId {
        match self {
            Enqueued::New(id) | Enqueued::Duplicate(id) => id,
        }
    }

    pub fn is_duplicate(&self) -> bool {
        matches!(self, Enqueued::Duplicate(_))
    }
}

impl Queue {
    /// Stores a job. Sent again with the same id it stays one job.
    ///
    /// # Errors
    /// [`Error::Invalid`] names what is wrong with the job, [`Error::IdTaken`] when
    /// its id is another job's.
    pub async fn enqueue(&self, job: NewJob) -> Result<Enqueued, Error> {
        let mut stored = self.enqueue_many(vec![job]).await?;
        stored
            .pop()
            .ok_or_else(|| Error::Invalid("no job to store".to_owned()))
    }

    /// Stores up to 100 jobs in one call, in order, all or none of them valid.
    ///
    /// # Errors
    /// As [`Queue::enqueue`].
    pub async fn enqueue_many(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, Error> {
        if jobs.is_empty() || jobs.len() > MOST {
            return Err(Error::Invalid(format!("expected 1 to {MOST} jobs")));
        }
        let now = self.clock.now_ms();
        for job in &jobs {
            job.check(now)?;
        }
        let specs = jobs.iter().map(|job| job.to_spec(now)).collect();
        let request = EnqueueRequest {
            now,
            aging: self.aging_ms(),
            jobs: jobs
                .iter()
                .map(|job| EnqueueJob {
                    id: job.id.as_str(),
                    priority: job.priority,
                    run_at: job.run_at(now),
                    unique: job.unique.as_deref(),
                })
                .collect(),
        };
        let answers = self.scripts().enqueue(&request, specs).await?;
        jobs.into_iter()
            .zip(answers)
            .map(|(job, (word, id))| match word.as_str() {
                "conflict" => Err(Error::IdTaken(job.id)),
                // The job itself, stored by a call whose reply was lost.
                "dup" if id == job.id.as_str() => Ok(Enqueued::New(job.id)),
                "dup" => Ok(Enqueued::Duplicate(JobId::parse(&id).unwrap_or(job.id))),
                _ => Ok(Enqueued::New(job.id)),
            })
            .collect()
    }

    pub(super) fn scripts(&self) -> Scripts<'_> {
        Scripts {
            redis: &self.redis,
            keys: &self.keys,
        }
    }

    pub(super) fn aging_ms(&self) -> u64 {
        u64::try_from(self.config.aging.as_millis()).unwrap_or(u64::MAX)
    }
}
