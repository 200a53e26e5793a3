//! The kind `probe`: looks into the clips of a guild that were found but not looked into yet.
//!
//! It is stored by scans and in the queue `clip`; nobody can request it.

use serde::{Deserialize, Serialize};

use crate::queue::{Error, JobId, NewJob, OnUnique};

/// How long clips are collected for one job, in milliseconds.
const COLLECTED_MS: i64 = 15_000;

/// How long after that the job begins, in milliseconds. Its clips may be saved a moment after
/// it is stored.
const GRACE_MS: i64 = 5_000;

/// The arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClipProbe {
    /// The id of the guild.
    pub guild_id: String,
}

impl ClipProbe {
    pub const KIND: &'static str = "probe";

    /// The end of the quarter of a minute to which this time belongs.
    pub fn collected_until(now_ms: i64) -> i64 {
        (now_ms.div_euclid(COLLECTED_MS) + 1) * COLLECTED_MS
    }

    /// Builds the job for clips that are found at `now_ms`. It begins soon after the current
    /// quarter of a minute, and all scans of the guild that find clips until then share it.
    /// A job that has begun may have missed a clip; clips found now never rely on one, since
    /// each quarter has a job of its own. At most one runs at a time.
    ///
    /// # Errors
    /// None in practice: the arguments can always be written as JSON.
    pub fn into_job(self, id: JobId, now_ms: i64) -> Result<NewJob, Error> {
        let until = Self::collected_until(now_ms);
        let key = format!("{}:{}", Self::KIND, self.guild_id);
        let mut job = NewJob::new(id, Self::KIND, &self)?;
        job.unique = Some(format!("{key}:{until}"));
        job.on_unique = OnUnique::Keep;
        job.group = Some(key);
        job.run_at_ms = Some(until + GRACE_MS);
        Ok(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn clips_of_one_quarter_share_a_job_that_begins_after_it() {
        let job = |now_ms| {
            let guild_id = "5".to_owned();
            let id = JobId::new(&Clock::manual(now_ms));
            ClipProbe { guild_id }.into_job(id, now_ms).unwrap()
        };
        let (first, last, next) = (job(30_000), job(44_999), job(45_000));
        assert_eq!(first.unique, last.unique);
        assert_eq!(
            (first.run_at_ms, last.run_at_ms),
            (Some(50_000), Some(50_000))
        );
        assert_ne!(first.unique, next.unique);
        assert_eq!(
            (first.group.clone(), next.run_at_ms),
            (next.group, Some(65_000))
        );
    }
}
