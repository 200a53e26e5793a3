//! Looking at jobs.

use super::job::Stored;
use super::scripts::ListRequest;
use super::{Error, Job, JobId, JobState, Queue};
use crate::redis::commands::hashes::hmget;
use crate::redis::{Command, HashField, Pipeline, Replies, Slot};

/// Where a listing goes on: the score of the last job and how many with that score
/// were shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    score: f64,
    shown: u64,
}

impl Cursor {
    /// A cursor a listing gave.
    pub fn parse(text: &str) -> Option<Cursor> {
        let (score, shown) = text.split_once('-')?;
        let score: u64 = score.parse().ok()?;
        Some(Cursor {
            score: score as f64,
            shown: shown.parse().ok().filter(|shown| *shown <= 1_000_000)?,
        })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.score, self.shown)
    }
}

/// The parts of a job as a pipeline reads them.
pub type JobSlot = Slot<Vec<Option<String>>>;

impl Queue {
    /// Adds the reading of a job to a pipeline; [`Queue::read_job`] takes it.
    pub fn add_job(&self, pipeline: &mut Pipeline, id: &JobId) -> JobSlot {
        pipeline.add(self.job_command(&[id]))
    }

    /// The job that [`Queue::add_job`] asked for.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when what is stored is not a job.
    pub fn read_job(
        &self,
        replies: &mut Replies,
        slot: JobSlot,
        id: &JobId,
    ) -> Result<Option<Job>, Error> {
        let parts = replies.take(slot)?;
        Ok(self.jobs_of(std::slice::from_ref(id), parts)?.pop())
    }

    /// Adds the storing of a job's progress to a pipeline. It is not fenced: an old
    /// attempt may overwrite it until it learns that it lost its lease. A script that
    /// knows better writes [`Queue::progress`] instead.
    pub fn add_progress(&self, pipeline: &mut Pipeline, id: &JobId, progress: &str) -> Slot<()> {
        pipeline.add(self.progress(id, progress).command())
    }

    /// Where a job's progress is stored, and what, for another script to write.
    pub fn progress(&self, id: &JobId, progress: &str) -> HashField {
        HashField {
            key: self.keys.records.clone(),
            field: format!("{id}:s"),
            value: progress.to_owned(),
        }
    }

    /// A job by its id, with the arguments and the result it has in keys of its own.
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

    /// Jobs in one state: unfinished ones in the order they will run, finished ones
    /// oldest first; in one request. What they have in keys of their own is not read.
    ///
    /// # Errors
    /// As [`Queue::read_job`].
    pub async fn list(
        &self,
        state: JobState,
        cursor: Option<Cursor>,
        limit: u64,
    ) -> Result<(Vec<Job>, Option<Cursor>), Error> {
        let (min, max) = state.band();
        let bound = |score: f64| match score.is_finite() {
            true => format!("{score:.0}"),
            false => "+inf".to_owned(),
        };
        let request = ListRequest {
            min: bound(cursor.as_ref().map_or(min, |cursor| cursor.score.max(min))),
            max: bound(max),
            offset: cursor.as_ref().map_or(0, |cursor| cursor.shown),
            limit,
        };
        let (words, parts) = self.scripts().list(self.set_of(state), &request).await?;
        let found: Vec<(JobId, f64)> = words
            .chunks_exact(2)
            .filter_map(|pair| Some((JobId::parse(&pair[0])?, pair[1].parse().ok()?)))
            .collect();
        let next = next_cursor(&found, cursor, limit);
        let ids: Vec<JobId> = found.into_iter().map(|(id, _)| id).collect();
        Ok((self.jobs_of(&ids, parts)?, next))
    }

    /// The set that holds the jobs in a state.
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

fn next_cursor(found: &[(JobId, f64)], before: Option<Cursor>, limit: u64) -> Option<Cursor> {
    if (found.len() as u64) < limit {
        return None;
    }
    let (_, score) = found.last()?;
    let here = found.iter().filter(|(_, other)| other == score).count() as u64;
    let carried = before
        .filter(|cursor| cursor.score == *score)
        .map_or(0, |cursor| cursor.shown);
    Some(Cursor {
        score: *score,
        shown: here + carried,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_it_writes() {
        let cursor = Cursor {
            score: 70_368_744_177_665.0,
            shown: 3,
        };
        assert_eq!(cursor.to_string(), "70368744177665-3");
        assert_eq!(Cursor::parse("70368744177665-3"), Some(cursor));
        assert_eq!(Cursor::parse("-1-0"), None);
        assert_eq!(Cursor::parse("x"), None);
    }
}
