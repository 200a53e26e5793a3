//! Jobs other programs left in a stream.
//!
//! An entry is taken over by one script, which stores the job and removes the entry;
//! one that is gone already is not stored again. What cannot be a job is stored as a
//! failed one, with the reason.

use serde_json::{Map, Value};

use super::{MOST, NewJob, Ready, large_args};
use crate::queue::blobs::LARGEST_INLINE;
use crate::queue::scripts::EnqueueRequest;
use crate::queue::{Error, JobId, Queue};
use crate::redis::commands::Streams as _;
use crate::redis::commands::streams::Entry;

/// What was taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// Jobs that will run, or that are duplicates of an unfinished one.
    pub taken: u32,
    /// Entries that are no jobs.
    pub refused: u32,
}

/// Reads an entry as a job, given the id it will have; the error says what is wrong.
pub type ReadForeign<'a> = &'a (dyn Fn(&Entry, JobId) -> Result<NewJob, String> + Sync);

impl Queue {
    /// Takes over everything in `stream`, a hundred entries a call.
    ///
    /// # Errors
    /// When Redis cannot be asked; what was not taken over is still in the stream.
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
            // A short page was the last: asking again would cost a command to be told so.
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
                    // The id is the entry's, whatever the job names: it is what makes a second
                    // reading harmless.
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
            // They are in Redis already: refusing them would free nothing.
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
                    tracing::error!(job_id = %job.id, "foreign job dropped: its id is taken");
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

/// The id of the job an entry becomes: the same for every reader, so that two workers that
/// read the same entry store one job.
pub fn foreign_id(stream: &str, entry: &Entry) -> JobId {
    let at_ms = entry.id.split('-').next().and_then(|ms| ms.parse().ok());
    let latest = (1i64 << 48) - 1;
    JobId::derived(
        at_ms.unwrap_or(0).clamp(0, latest),
        // With what it says, since a stream that was emptied and made anew within a
        // millisecond gives the same place again.
        &format!("{stream}/{}/{:?}", entry.id, entry.fields),
    )
}

/// A job that holds the fields of an entry that is no job, as far as they fit.
fn refused(entry: &Entry, id: JobId) -> Result<NewJob, Error> {
    let kind = entry.field("type").unwrap_or_default();
    let kind = if kind.is_empty() || kind.len() > 128 {
        "foreign"
    } else {
        kind
    };
    let mut fields = Map::new();
    for (name, value) in &entry.fields {
        fields.insert(name.clone(), Value::from(value.as_str()));
        if Value::Object(fields.clone()).to_string().len() > LARGEST_INLINE {
            fields.insert(name.clone(), Value::from("(too long to be kept)"));
        }
    }
    let job = NewJob::new(id, kind, &fields)?;
    if job.args.len() > LARGEST_INLINE {
        return NewJob::new(job.id, kind, &"(too long to be kept)");
    }
    Ok(job)
}
