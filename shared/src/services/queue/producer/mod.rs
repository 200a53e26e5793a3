//! The producer's side: storing jobs.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod` | [`Queue::enqueue`] and what came of it |
//! | `new_job` | [`NewJob`]: a job as it is given to the queue, and its limits |
//! | `batch` | many jobs, and one that runs when all have ended |
//! | `recurring` | jobs that come again, by a schedule |
//! | `ingest` | jobs other programs left in a stream |

mod batch;
mod ingest;
mod new_job;
mod recurring;

pub use batch::BatchState;
pub use ingest::{Ingested, ReadForeign, foreign_id};
pub use new_job::{NewJob, OnUnique};
pub use recurring::{Missed, Recurring, Schedule, Slots};

use new_job::Defaults;

use super::blobs::LARGEST_INLINE;
use super::scripts::{EnqueueBatch, EnqueueJob, EnqueueRequest};
use super::spec::Spec;
use super::{Error, JobId, Queue};
use crate::redis::Exchange;

/// The most jobs of one call.
const MOST: usize = 100;

/// The most bytes of one call, well below what a request may have: text that is JSON
/// in JSON grows.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What became of a job that was to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It is stored.
    New(JobId),
    /// An unfinished job with the same unique key stands for it.
    Duplicate {
        /// The unfinished job.
        id: JobId,
        /// Whether that job now runs sooner, or before more others, than it would have.
        hastened: bool,
        /// Whether that job does something else: it has other arguments, which stay.
        differs: bool,
    },
    /// The delayed job with the same unique key took its arguments and its time.
    Debounced(JobId),
}

impl Enqueued {
    /// The job that will run.
    pub fn id(&self) -> &JobId {
        match self {
            Enqueued::New(id) | Enqueued::Debounced(id) | Enqueued::Duplicate { id, .. } => id,
        }
    }

    /// Whether another job stands for it.
    pub fn is_duplicate(&self) -> bool {
        !matches!(self, Enqueued::New(_))
    }

    /// Whether what was asked for is not what the job that stands for it does.
    pub fn differs(&self) -> bool {
        matches!(self, Enqueued::Duplicate { differs: true, .. })
    }
}

/// A job on its way, with what was made of it.
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
    /// Stores a job. Sent again with the same id it stays one job.
    ///
    /// # Errors
    /// [`Error::Invalid`] names what is wrong with the job, [`Error::IdTaken`] when
    /// its id is another job's, [`Error::Full`] when too many jobs are unfinished.
    pub async fn enqueue(&self, job: NewJob) -> Result<Enqueued, Error> {
        let mut stored = self.enqueue_many(vec![job]).await?;
        stored
            .pop()
            .ok_or_else(|| Error::Invalid("no job to store".to_owned()))
    }

    /// Whether these jobs can be stored in one call, without asking Redis.
    ///
    /// # Errors
    /// [`Error::Invalid`] names what is wrong with the first that cannot be.
    pub fn check(&self, jobs: &[NewJob]) -> Result<(), Error> {
        if jobs.is_empty() || jobs.len() > MOST {
            return Err(Error::Invalid(format!("expected 1 to {MOST} jobs")));
        }
        let now = self.clock.now_ms();
        jobs.iter().try_for_each(|job| job.check(now))
    }

    /// Stores up to 100 jobs in one call, in order, all or none of them valid.
    ///
    /// # Errors
    /// As [`Queue::enqueue`]; when the queue has no room for all new ones of the
    /// call, none of them is stored.
    pub async fn enqueue_many(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>, Error> {
        self.enqueue_once(jobs, None).await
    }

    /// As [`Queue::enqueue_many`], together with an exchange, which is made if all jobs
    /// are new: no other job stands for one of them.
    ///
    /// # Errors
    /// As [`Queue::enqueue_many`]; also when the exchange's key holds neither value, and
    /// nothing was stored then.
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
        // After the jobs: an event about a job that is not stored could not be taken back.
        self.publish_created(&stored).await;
        Ok(stored)
    }

    fn defaults(&self, now_ms: i64) -> Defaults {
        Defaults {
            now_ms,
            max_attempts: self.config.max_attempts,
        }
    }

    /// Stores what is ready: large arguments first, so that no job is found without.
    async fn store(
        &self,
        ready: Vec<Ready<'_>>,
        batch: Option<EnqueueBatch<'_>>,
        exchange: Option<&Exchange>,
        now: i64,
    ) -> Result<Vec<(String, String)>, Error> {
        // A job stored by a wrong clock would come first, or a year late, for everybody.
        self.check_clock()?;
        let blobs = self.store_args(&large_args(&ready)).await?;
        let specs: Vec<String> = ready
            .iter()
            .map(|ready| ready.job.stored(&ready.spec))
            .collect();
        // Refused here, where the reason can be named: the service would refuse the request whole.
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
        // The same id and other arguments: a caller's mistake, not a second sending.
        "conflict" => Err(Error::IdTaken(id)),
        "full" => Err(Error::Full),
        // The job itself, stored by a call whose reply was lost.
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
