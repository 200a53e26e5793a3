//! Reads and lists jobs.

use crate::queue::job::Stored;
use crate::queue::scripts::{ListRange, ListRequest};
use crate::queue::{Error, Job, JobId, JobState, Queue};
use crate::redis::commands::hashes::hmget;
use crate::redis::{Command, HashField, Pipeline, Replies, Slot};

/// Where a listing continues: its current state, the score of the last job, and how many
/// jobs with that score were returned.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    range: usize,
    score: f64,
    shown: u64,
}

impl Cursor {
    /// Parses a cursor that a listing returned.
    pub fn parse(text: &str) -> Option<Cursor> {
        let mut parts = text.split('-');
        let mut part = || parts.next()?.parse::<u64>().ok();
        let (range, score, shown) = (part()?, part()?, part()?);
        Some(Cursor {
            range: usize::try_from(range).ok()?,
            score: score as f64,
            shown: Some(shown).filter(|shown| *shown <= 1_000_000)?,
        })
        .filter(|cursor| cursor.to_string() == text)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:.0}-{}", self.range, self.score, self.shown)
    }
}

/// The parts of a job, as a pipeline reads them.
pub type JobSlot = Slot<Vec<Option<String>>>;

impl Queue {
    /// Adds the read of a job to a pipeline. [`Queue::read_job`] turns the result into a
    /// job.
    pub fn add_job(&self, pipeline: &mut Pipeline, id: &JobId) -> JobSlot {
        pipeline.add(self.job_command(&[id]))
    }

    /// Returns the job that [`Queue::add_job`] asked for.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if the stored value is not a job.
    pub fn read_job(
        &self,
        replies: &mut Replies,
        slot: JobSlot,
        id: &JobId,
    ) -> Result<Option<Job>, Error> {
        let parts = replies.take(slot)?;
        Ok(self.jobs_of(std::slice::from_ref(id), parts)?.pop())
    }

    /// Adds the write of a job's progress to a pipeline. The write is not fenced: an old
    /// attempt may overwrite the progress until it learns that it lost its lease. A script
    /// that checks ownership itself writes [`Queue::progress`] instead.
    pub fn add_progress(&self, pipeline: &mut Pipeline, id: &JobId, progress: &str) -> Slot<()> {
        pipeline.add(self.progress(id, progress).command())
    }

    /// The field and value of a job's progress, for another script to write.
    pub fn progress(&self, id: &JobId, progress: &str) -> HashField {
        HashField {
            key: self.keys.records.clone(),
            field: format!("{id}:s"),
            value: progress.to_owned(),
        }
    }

    /// A field beside the jobs, without a value, for code that reads or writes it together
    /// with its work for a job. Its name starts with `#` and must not be a counter's.
    pub fn field(&self, name: &str) -> HashField {
        HashField {
            key: self.keys.records.clone(),
            field: name.to_owned(),
            value: String::new(),
        }
    }

    /// The field that says whether a running job should stop, for [`Queue::is_cancelled`].
    pub fn state_field(&self, id: &JobId) -> HashField {
        self.field(id.as_str())
    }

    /// Whether the value of a job's [`Queue::state_field`] asks the job to stop.
    pub fn is_cancelled(value: &str) -> bool {
        #[derive(serde::Deserialize)]
        struct Wish {
            #[serde(default)]
            cancel: bool,
        }
        serde_json::from_str(value).is_ok_and(|wish: Wish| wish.cancel)
    }

    /// Reads a job by its id, including arguments and results in keys of their own.
    ///
    /// # Errors
    /// As [`Queue::read_job`].
    pub async fn job(&self, id: &JobId) -> Result<Option<Job>, Error> {
        let parts = self.job_command(&[id]).send(&*self.redis).await?;
        match self.jobs_of(std::slice::from_ref(id), parts)?.pop() {
            Some(job) => self.complete(job).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads several jobs, without what they have in keys of their own, with one command for
    /// every 250. A job that does not exist is left out.
    ///
    /// # Errors
    /// As [`Queue::read_job`].
    pub async fn jobs(&self, ids: &[JobId]) -> Result<Vec<Job>, Error> {
        const AT_ONCE: usize = 250;
        let mut jobs = Vec::with_capacity(ids.len());
        for part in ids.chunks(AT_ONCE) {
            let wanted: Vec<&JobId> = part.iter().collect();
            let parts = self.job_command(&wanted).send(&*self.redis).await?;
            jobs.extend(self.jobs_of(part, parts)?);
        }
        Ok(jobs)
    }

    /// Lists the jobs in one state, or in all states in this order: active, waiting,
    /// delayed, cancelled, failed, completed. Unfinished jobs come in the order in which
    /// they will run, and finished jobs newest first. It takes one request, and does not
    /// read what a job has in keys of its own. The cursor is `None` on the last page.
    ///
    /// # Errors
    /// As [`Queue::read_job`].
    pub async fn list(
        &self,
        state: Option<JobState>,
        cursor: Option<Cursor>,
        limit: u64,
    ) -> Result<(Vec<Job>, Option<Cursor>), Error> {
        let bands = match state {
            Some(state) => vec![Band::of(state)],
            None => Band::all(),
        };
        let first = cursor.as_ref().map_or(0, |cursor| cursor.range);
        let ranges: Vec<ListRange> = (first..)
            .zip(bands.iter().skip(first))
            .map(|(n, band)| band.range(cursor.as_ref().filter(|_| n == first)))
            .collect();
        let request = ListRequest {
            ranges,
            offset: cursor.as_ref().map_or(0, |cursor| cursor.shown),
            // One more than is returned, to learn whether there is another page.
            limit: limit + 1,
        };
        let (words, mut parts) = self.scripts().list(&request).await?;
        let mut found: Vec<Listed> = words
            .chunks_exact(3)
            .filter_map(|words| {
                Some(Listed {
                    range: first + words[0].parse::<usize>().ok()?,
                    id: JobId::parse(&words[1])?,
                    score: words[2].parse().ok()?,
                })
            })
            .collect();
        let is_last = found.len() as u64 <= limit;
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        parts.truncate(4 * found.len());
        let next = next_cursor(&found, cursor).filter(|_| !is_last);
        let ids: Vec<JobId> = found.into_iter().map(|listed| listed.id).collect();
        Ok((self.jobs_of(&ids, parts)?, next))
    }

    /// The key of the set that holds the jobs in this state.
    pub(super) fn set_of(&self, state: JobState) -> &str {
        if state.is_finished() {
            &self.keys.finished
        } else {
            &self.keys.index
        }
    }

    fn job_command(&self, ids: &[&JobId]) -> Command<Vec<Option<String>>> {
        let fields: Vec<String> = ids
            .iter()
            .flat_map(|id| ["", ":p", ":r", ":s"].map(|part| format!("{id}{part}")))
            .collect();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        hmget(&self.keys.records, &fields)
    }

    fn jobs_of(&self, ids: &[JobId], parts: Vec<Option<String>>) -> Result<Vec<Job>, Error> {
        let now = self.clock.now_ms();
        let mut parts = parts.into_iter();
        let mut part = || parts.next().flatten();
        let mut jobs = Vec::with_capacity(ids.len());
        for id in ids {
            let (header, spec, data, progress) = (part(), part(), part(), part());
            // The job was deleted between listing and reading. The page has one job fewer.
            let Some(spec) = spec else { continue };
            let stored = Stored {
                header,
                spec,
                data,
                progress,
            };
            jobs.push(Job::from_stored(id.clone(), stored, now)?);
        }
        Ok(jobs)
    }
}

/// A job's entry in a set.
struct Listed {
    range: usize,
    id: JobId,
    score: f64,
}

/// A score range of one of the two sets that one command lists.
struct Band {
    finished: bool,
    min: f64,
    max: f64,
}

impl Band {
    fn of(state: JobState) -> Band {
        let (min, max) = state.band();
        Band {
            finished: state.is_finished(),
            min,
            max,
        }
    }

    /// All states, in as few ranges as possible.
    fn all() -> Vec<Band> {
        let (active, waiting) = (JobState::Active, JobState::Waiting);
        let delayed = Band::of(JobState::Delayed);
        let completed = Band::of(JobState::Completed);
        vec![
            Band::of(active),
            Band {
                max: delayed.max,
                ..Band::of(waiting)
            },
            Band {
                max: f64::INFINITY,
                ..completed
            },
        ]
    }

    /// The range to list. With `cursor`, it starts where the listing stopped. Finished jobs
    /// are listed newest first.
    fn range(&self, cursor: Option<&Cursor>) -> ListRange {
        let (first, last) = match self.finished {
            true => (self.max, self.min),
            false => (self.min, self.max),
        };
        let from = cursor.map_or(first, |cursor| cursor.score.clamp(self.min, self.max));
        ListRange {
            finished: self.finished,
            from: bound(from),
            to: bound(last),
            newest_first: self.finished,
        }
    }
}

fn bound(score: f64) -> String {
    match score.is_finite() {
        true => format!("{score:.0}"),
        false => "+inf".to_owned(),
    }
}

fn next_cursor(found: &[Listed], before: Option<Cursor>) -> Option<Cursor> {
    let last = found.last()?;
    let is_here = |other: &&Listed| (other.range, other.score) == (last.range, last.score);
    let here = found.iter().filter(is_here).count() as u64;
    // If a page ends among jobs with one score, the next page starts at that score again.
    // So the number that earlier pages returned with this score is added.
    let carried = before
        .filter(|cursor| (cursor.range, cursor.score) == (last.range, last.score))
        .map_or(0, |cursor| cursor.shown);
    Some(Cursor {
        range: last.range,
        score: last.score,
        shown: here + carried,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_it_writes() {
        let cursor = Cursor {
            range: 1,
            score: 70_368_744_177_665.0,
            shown: 3,
        };
        assert_eq!(cursor.to_string(), "1-70368744177665-3");
        assert_eq!(Cursor::parse("1-70368744177665-3"), Some(cursor));
        for other in ["", "x", "1-2", "-1-0-0", "1-2-3-4", "01-2-3", "1-2-+3"] {
            assert_eq!(Cursor::parse(other), None, "{other}");
        }
    }
}
