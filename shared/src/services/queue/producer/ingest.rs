//! Jobs that other programs add to a stream.
//!
//! One script takes over an entry: it stores the job and removes the entry. An entry that
//! is already gone is not stored again. An entry that is not a valid job is stored as a
//! failed job with the reason.

use serde_json::{Map, Value};

use super::{MOST, NewJob, Ready, large_args};
use crate::queue::blobs::LARGEST_INLINE;
use crate::queue::scripts::EnqueueRequest;
use crate::queue::{Error, JobId, Queue};
use crate::redis::commands::Streams as _;
use crate::redis::commands::streams::Entry;

/// What an ingest has taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// Jobs that will run, and duplicates of unfinished ones.
    pub taken: u32,
    /// Entries that are not valid jobs.
    pub refused: u32,
}

/// Reads an entry as a job with the given id. The error says what is wrong with the entry.
pub type ReadForeign<'a> = &'a (dyn Fn(&Entry, JobId) -> Result<NewJob, String> + Sync);

impl Queue {
    /// Takes over all entries of `stream`, a hundred in each call.
    ///
    /// # Errors
    /// Redis could not be asked. What was not taken over is still in the stream.
    pub async fn ingest(&self, stream: &str, read: ReadForeign<'_>) -> Result<Ingested, Error> {
        let mut ingested = Ingested::default();
        loop {
            let entries = self.redis.xrange(stream, "-", "+", MOST as u64).await?;
            if entries.is_empty() {
                return Ok(ingested);
            }
            let more = self.store_entries(stream, &entries, read).await?;
            ingested.taken += more.taken;
            ingested.refused += more.refused;
            // A short page was the last one. Asking again would cost a command.
            if entries.len() < MOST {
                return Ok(ingested);
            }
        }
    }

    async fn store_entries(
        &self,
        stream: &str,
        entries: &[Entry],
        read: ReadForeign<'_>,
    ) -> Result<Ingested, Error> {
        let now = self.clock.now_ms();
        let jobs: Vec<(NewJob, Option<String>)> = entries
            .iter()
            .map(|entry| {
                let id = foreign_id(stream, entry);
                let job = read(entry, id.clone()).and_then(|job| match job.check(now) {
                    // The id is derived from the entry, whatever id the job names. This
                    // makes a second reading harmless.
                    Ok(()) => Ok(NewJob {
                        id: id.clone(),
                        ..job
                    }),
                    Err(error) => Err(error.to_string()),
                });
                match job {
                    Ok(job) => Ok((job, None)),
                    Err(reason) => Ok((refused(entry, id)?, Some(reason))),
                }
            })
            .collect::<Result<_, Error>>()?;
        let mut ready = Vec::with_capacity(jobs.len());
        for ((job, reason), entry) in jobs.iter().zip(entries) {
            let mut one = Ready::new(job, self.defaults(now));
            one.entry.entry = Some(&entry.id);
            one.entry.refused = reason.as_deref();
            ready.push(one);
        }
        self.check_clock()?;
        let blobs = self.store_args(&large_args(&ready)).await?;
        let specs = ready
            .iter()
            .map(|ready| ready.job.stored(&ready.spec))
            .collect();
        let request = EnqueueRequest {
            moment: self.moment(now),
            jobs: ready.into_iter().map(|ready| ready.entry).collect(),
            // No backlog limit: these jobs are in Redis already, so refusing them would
            // free nothing.
            cap: None,
            stream: Some(true),
            batch: None,
        };
        let keys: Vec<String> = std::iter::once(stream.to_owned()).chain(blobs).collect();
        let answers = self.scripts().enqueue(&request, specs, &keys, None).await?;
        let mut ingested = Ingested::default();
        for ((job, reason), (word, _)) in jobs.iter().zip(&answers) {
            match reason {
                _ if word == "gone" => {}
                _ if word == "conflict" => {
                    tracing::error!(job_id = %job.id, "foreign job dropped: another job has its id");
                    ingested.refused += 1;
                }
                Some(reason) => {
                    tracing::warn!(job_id = %job.id, reason, "foreign job refused");
                    ingested.refused += 1;
                }
                None => ingested.taken += 1,
            }
        }
        Ok(ingested)
    }
}

/// Returns the id of the job that an entry becomes. It is the same for every reader, so two
/// workers that read the same entry store one job.
pub fn foreign_id(stream: &str, entry: &Entry) -> JobId {
    let at_ms = entry.id.split('-').next().and_then(|ms| ms.parse().ok());
    let latest = (1i64 << 48) - 1;
    JobId::derived(
        at_ms.unwrap_or(0).clamp(0, latest),
        // The fields are part of the id, because a stream that was emptied and created
        // again within a millisecond reuses the same entry ids.
        &format!("{stream}/{}/{:?}", entry.id, entry.fields),
    )
}

/// The kind of the failed job that holds an entry which is no job. It is not the entry's own:
/// a job of a kind has the arguments of that kind.
pub const FOREIGN: &str = "foreign";

/// Builds a job that holds the fields of an invalid entry, as far as they fit.
fn refused(entry: &Entry, id: JobId) -> Result<NewJob, Error> {
    let mut fields = Map::new();
    for (name, value) in &entry.fields {
        fields.insert(name.clone(), Value::from(value.as_str()));
        if Value::Object(fields.clone()).to_string().len() > LARGEST_INLINE {
            fields.insert(name.clone(), Value::from("(too long to be kept)"));
        }
    }
    let job = NewJob::new(id, FOREIGN, &fields)?;
    if job.args.len() > LARGEST_INLINE {
        return NewJob::new(job.id, FOREIGN, &"(too long to be kept)");
    }
    Ok(job)
}
