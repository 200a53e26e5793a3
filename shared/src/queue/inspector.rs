//! Looking at jobs, and changing what becomes of one.

use super::job::Stored;
use super::scripts::day;
use super::{Error, Job, JobId, JobState, Queue};
use crate::redis::commands::hashes::hmget;
use crate::redis::commands::sorted_sets::{Range, SortedSets as _, zcount};
use crate::redis::{Command, Pipeline, Replies, Slot};

/// How many jobs there are in each state.
pub type Counts = Vec<(JobState, u64)>;

/// What became of a job that was to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It will not run.
    Done,
    /// It runs; its handler is told at the next heartbeat, within 20 s.
    Requested,
    /// It had finished already, in this state.
    Finished(JobState),
    Unknown,
}

/// What became of a failed job that was to run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redriven {
    Done,
    /// It is in this state, not failed or cancelled.
    NotFailed(JobState),
    /// An unfinished job has its unique key.
    UniqueTaken,
    Unknown,
}

/// What became of a job that was to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purged {
    Done,
    Unfinished,
    Unknown,
}

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
    /// attempt may overwrite it until it learns that it lost its lease.
    pub fn add_progress(&self, pipeline: &mut Pipeline, id: &JobId, progress: &str) -> Slot<()> {
        pipeline.add(
            Command::safe("HSET")
                .arg(&self.keys.records)
                .arg(format!("{id}:s"))
                .arg(progress),
        )
    }

    /// A job by its id.
    ///
    /// # Errors
    /// As [`Queue::read_job`].
    pub async fn job(&self, id: &JobId) -> Result<Option<Job>, Error> {
        let parts = self.job_command(&[id]).send(&*self.redis).await?;
        Ok(self.jobs_of(std::slice::from_ref(id), parts)?.pop())
    }

    /// Jobs in one state: unfinished ones in the order they will run, finished ones
    /// oldest first. A job that changes its state meanwhile may be missing.
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
        let range = Range::Score {
            min: cursor.as_ref().map_or(min, |cursor| cursor.score.max(min)),
            max,
            offset: cursor.as_ref().map_or(0, |cursor| cursor.shown),
            limit,
        };
        let key = if state.is_finished() {
            &self.keys.finished
        } else {
            &self.keys.index
        };
        let words = self.redis.zrange_with_scores(key, range).await?;
        let found: Vec<(JobId, f64)> = words
            .chunks_exact(2)
            .filter_map(|pair| Some((JobId::parse(&pair[0])?, pair[1].parse().ok()?)))
            .collect();
        let next = next_cursor(&found, cursor, limit);
        let ids: Vec<JobId> = found.into_iter().map(|(id, _)| id).collect();
        if ids.is_empty() {
            return Ok((Vec::new(), None));
        }
        let borrowed: Vec<&JobId> = ids.iter().collect();
        let parts = self.job_command(&borrowed).send(&*self.redis).await?;
        Ok((self.jobs_of(&ids, parts)?, next))
    }

    /// How many jobs there are in each state, in one request.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn counts(&self) -> Result<Counts, Error> {
        let mut pipeline = Pipeline::new();
        let slots: Vec<(JobState, Slot<u64>)> = JobState::ALL
            .into_iter()
            .map(|state| {
                let (min, max) = state.band();
                let key = if state.is_finished() {
                    &self.keys.finished
                } else {
                    &self.keys.index
                };
                (state, pipeline.add(zcount(key, min, max)))
            })
            .collect();
        let mut replies = pipeline.send(&*self.redis).await?;
        slots
            .into_iter()
            .map(|(state, slot)| Ok((state, replies.take(slot)?)))
            .collect()
    }

    /// Ends a job, or asks the one that runs it to stop.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn cancel(&self, id: &JobId) -> Result<Cancelled, Error> {
        let now = self.clock.now_ms();
        let word = self.scripts().cancel(now, &day(now), id).await?;
        Ok(match word.as_str() {
            "cancelled" => Cancelled::Done,
            "requested" => Cancelled::Requested,
            other => JobState::parse(other).map_or(Cancelled::Unknown, Cancelled::Finished),
        })
    }

    /// Lets a failed or cancelled job run again from its first attempt.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn redrive(&self, id: &JobId) -> Result<Redriven, Error> {
        let now = self.clock.now_ms();
        let ids = std::slice::from_ref(id);
        let words = self.scripts().redrive(now, self.aging_ms(), ids).await?;
        Ok(match words.first().map_or("gone", String::as_str) {
            "redriven" => Redriven::Done,
            "unique" => Redriven::UniqueTaken,
            other => JobState::parse(other).map_or(Redriven::Unknown, Redriven::NotFailed),
        })
    }

    /// Forgets a finished job before its time.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn purge(&self, id: &JobId) -> Result<Purged, Error> {
        let word = self.scripts().purge(id).await?;
        Ok(match word.as_str() {
            "purged" => Purged::Done,
            "gone" => Purged::Unknown,
            _ => Purged::Unfinished,
        })
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
