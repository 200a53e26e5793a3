//! The producer's side: storing jobs.
//!
//! | file | content |
//! |---|---|
//! | `mod` | [`Queue::enqueue`] and its result |
//! | `new_job` | [`NewJob`]: a job as it is given to the queue, and its limits |
//! | `batch` | many jobs, and a last one that runs when all have ended |
//! | `recurring` | jobs that run on a schedule |
//! | `ingest` | jobs that other programs add to a stream |

mod batch;
mod ingest;
mod new_job;
mod recurring;

pub use batch::BatchState;
pub use ingest::{FOREIGN, Ingested, ReadForeign, foreign_id};
pub use new_job::{NewJob, OnUnique};
pub use recurring::{Missed, Recurring, Schedule, Slots};

use new_job::Defaults;

use super::blobs::LARGEST_INLINE;
use super::scripts::{EnqueueBatch, EnqueueJob, EnqueueRequest};
use super::spec::Spec;
use super::{Error, JobId, Queue};
use crate::redis::Exchange;

/// The largest number of jobs in one call.
const MOST: usize = 100;

/// The largest size of one call, in bytes. It is well below what a request may have,
/// because JSON text grows when it is embedded in JSON.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The result of storing a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// The job was stored.
    New(JobId),
    /// The job was not stored, because an unfinished job has the same unique key.
    Duplicate {
        /// The unfinished job.
        id: JobId,
        /// Whether that job now runs sooner, or ahead of more jobs, than before.
        hastened: bool,
        /// Whether that job has a different kind or different arguments, which do not
        /// change.
        differs: bool,
    },
    /// The delayed job with the same unique key took over this job's arguments and time.
    Debounced(JobId),
}

impl Enqueued {
    /// The id of the job that will run.
    pub fn id(&self) -> &JobId {
        match self {
            Enqueued::New(id) | Enqueued::Debounced(id) | Enqueued::Duplicate { id, .. } => id,
        }
    }

    /// Whether another job will run in place of this one.
    pub fn is_duplicate(&self) -> bool {
        !matches!(self, Enqueued::New(_))
    }

    /// Whether the job that will run does something else than the caller asked for.
    pub fn differs(&self) -> bool {
        matches!(self, Enqueued::Duplicate { differs: true, .. })
    }
}

/// A job that is ready to be sent, with its stored form.
pub(super) struct Ready<'a> {
    pub job: &'a NewJob,
    pub spec: Spec,
    pub entry: EnqueueJob<'a>,
}

impl<'a> Ready<'a> {
    fn new(job: &'a NewJob, defaults: Defaults) -> Ready<'a> {
        let entry = EnqueueJob {
            id: job.id.as_str(),
            priority: job.priority,
            run_at: job.run_at(defaults.now_ms),
            unique: job.unique.as_deref(),
            on_unique: job.unique.as_ref().and_then(|_| job.on_unique.word()),
            slot: None,
            entry: None,
            refused: None,
            blob: job.args.len() > LARGEST_INLINE,
        };
        Ready {
            job,
            spec: job.spec(defaults),
            entry,
        }
    }
}

impl Queue {
    /// Stores a job. If it is sent again with the same id, it is still stored once.
    ///
    /// # Errors
    /// [`Error::Invalid`] says what is wrong with the job. [`Error::IdTaken`]: another job
    /// has its id. [`Error::Full`]: the queue has too many unfinished jobs.
    pub async fn enqueue(&self, job: NewJob) -> Result<Enqueued, Error> {
        let mut stored = self.enqueue_many(vec![job]).await?;
        stored
            .pop()
            .ok_or_else(|| Error::Invalid("no job to store".to_owned()))
    }

    /// Checks that these jobs can be stored in one call, without asking Redis.
    ///
    /// # Errors
    /// [`Error::Invalid`] says what is wrong with the first invalid job.
    pub fn check(&self, jobs: &[NewJob]) -> Result<(), Error> {
        if jobs.is_empty() || jobs.len() > MOST {
            return Err(Error::Invalid(format!("expected 1 to {MOST} jobs")));
        }
        let now = self.clock.now_ms();
        jobs.iter().try_for_each(|job| job.check(now))
    }

    /// Stores up to 100 jobs in one call, in order. If one of them is invalid, none is
    /// stored.
    ///
    /// # Errors
    /// As [`Queue::enqueue`]. If the queue has no room for all new jobs of the call, none
    /// is stored.
    pub async fn enqueue_many(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, Error> {
        self.enqueue_once(jobs, None).await
    }

    /// Like [`Queue::enqueue_many`], and makes an exchange in the same step. The exchange
    /// is made only if all jobs are new, so that none is a duplicate of another.
    ///
    /// # Errors
    /// As [`Queue::enqueue_many`]. It also fails if the exchange's key holds neither of its
    /// values; nothing is stored then.
    pub async fn enqueue_once(
        &self,
        jobs: Vec<NewJob>,
        exchange: Option<&Exchange>,
    ) -> Result<Vec<Enqueued>, Error> {
        self.check(&jobs)?;
        let now = self.clock.now_ms();
        let defaults = self.defaults(now);
        let ready = jobs.iter().map(|job| Ready::new(job, defaults)).collect();
        let answers = self.store(ready, None, exchange, now).await?;
        let stored: Vec<Enqueued> = jobs
            .into_iter()
            .zip(answers)
            .map(|(job, answer)| enqueued(job.id, answer))
            .collect::<Result<_, Error>>()?;
        // Published after the jobs are stored, because an event cannot be taken back.
        self.publish_created(&stored).await;
        Ok(stored)
    }

    fn defaults(&self, now_ms: i64) -> Defaults {
        Defaults {
            now_ms,
            max_attempts: self.config.max_attempts,
        }
    }

    /// Stores the jobs. Large arguments are stored first, so that no job is found without
    /// its arguments.
    async fn store(
        &self,
        ready: Vec<Ready<'_>>,
        batch: Option<EnqueueBatch<'_>>,
        exchange: Option<&Exchange>,
        now: i64,
    ) -> Result<Vec<(String, String)>, Error> {
        // A job stored with a wrong time would run before all others, or a year late.
        self.check_clock()?;
        let blobs = self.store_args(&large_args(&ready)).await?;
        let specs: Vec<String> = ready
            .iter()
            .map(|ready| ready.job.stored(&ready.spec))
            .collect();
        // Checked here, where the error can give the reason. The service would refuse the
        // whole request.
        let bytes: usize = specs.iter().map(String::len).sum();
        if bytes > MOST_BYTES {
            let reason = "jobs: expected at most 4 MB in one call";
            return Err(Error::TooLarge(reason.to_owned()));
        }
        let request = EnqueueRequest {
            moment: self.moment(now),
            jobs: ready.into_iter().map(|ready| ready.entry).collect(),
            cap: self.config.backlog,
            stream: None,
            batch,
        };
        let scripts = self.scripts();
        Ok(scripts.enqueue(&request, specs, &blobs, exchange).await?)
    }
}

/// The arguments that are too large for their job's record.
fn large_args<'a>(ready: &'a [Ready<'_>]) -> Vec<(&'a JobId, &'a str)> {
    let large = ready.iter().filter(|ready| ready.entry.blob);
    large
        .map(|ready| (&ready.job.id, ready.job.args.as_str()))
        .collect()
}

fn enqueued(id: JobId, (word, other): (String, String)) -> Result<Enqueued, Error> {
    let stands = |id: JobId| JobId::parse(&other).unwrap_or(id);
    match word.as_str() {
        // The same id with other arguments is the caller's mistake, not a repeated call.
        "conflict" => Err(Error::IdTaken(id)),
        "full" => Err(Error::Full),
        // The job itself, stored by an earlier call whose reply was lost.
        "dup" if other == id.as_str() => Ok(Enqueued::New(id)),
        "dup" | "dup_other" | "sooner" | "sooner_other" => Ok(Enqueued::Duplicate {
            id: stands(id),
            hastened: word.starts_with("sooner"),
            differs: word.ends_with("_other"),
        }),
        "moved" => Ok(Enqueued::Debounced(stands(id))),
        _ => Ok(Enqueued::New(id)),
    }
}
