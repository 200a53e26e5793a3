//! A job: what is given, what is stored, what is shown.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use ulid::Ulid;

use super::{Backoff, Error, JobState};
use crate::clock::Clock;

/// The largest arguments of a job, in bytes of JSON.
pub(super) const LARGEST_ARGS: usize = 8 * 1024;

/// How far ahead a job may be set: a year.
const FURTHEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// The id of a job: a ULID, new for every job and never used again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct JobId(String);

impl JobId {
    /// A new id, sorted by the time of `clock`.
    pub fn new(clock: &Clock) -> JobId {
        let now_ms = u64::try_from(clock.now_ms()).unwrap_or(0);
        JobId(Ulid::from_parts(now_ms, fastrand::u128(..)).to_string())
    }

    /// The id in `text`, if it is one.
    pub fn parse(text: &str) -> Option<JobId> {
        let id = Ulid::from_string(text).ok()?;
        // One spelling only: it is part of keys.
        (id.to_string() == text).then(|| JobId(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the id was made, in unix milliseconds.
    pub fn created_ms(&self) -> i64 {
        Ulid::from_string(&self.0).map_or(0, |id| i64::try_from(id.timestamp_ms()).unwrap_or(0))
    }
}

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A job to be stored.
#[derive(Clone, Debug)]
pub struct NewJob {
    pub id: JobId,
    /// Which handler runs it.
    pub kind: String,
    /// What the handler is given, as JSON. At most 8 KB.
    pub args: String,
    /// 1 (first) to 10. Defaults to 5.
    pub priority: u8,
    /// Not before this unix millisecond. Defaults to at once; at most a year ahead.
    pub run_at_ms: Option<i64>,
    /// Attempts until the job fails for good, 1 to 100. Defaults to 3.
    pub max_attempts: u32,
    pub backoff: Backoff,
    /// While a job with this key is unfinished, another is a duplicate of it.
    pub unique: Option<String>,
    /// The W3C trace the job belongs to.
    pub traceparent: Option<String>,
}

impl NewJob {
    /// A job with the default options.
    ///
    /// # Errors
    /// [`Error::Invalid`] when `args` cannot be written as JSON.
    pub fn new(id: JobId, kind: &str, args: &impl Serialize) -> Result<NewJob, Error> {
        let args = serde_json::to_string(args).map_err(|e| Error::Invalid(e.to_string()))?;
        Ok(NewJob {
            id,
            kind: kind.to_owned(),
            args,
            priority: 5,
            run_at_ms: None,
            max_attempts: 3,
            backoff: Backoff::default(),
            unique: None,
            traceparent: None,
        })
    }

    pub(super) fn check(&self, now_ms: i64) -> Result<(), Error> {
        let invalid = |text: &str| Err(Error::Invalid(text.to_owned()));
        let furthest = now_ms.saturating_add(FURTHEST.as_millis() as i64);
        if !(1..=10).contains(&self.priority) {
            return invalid("priority: expected a whole number from 1 to 10");
        }
        if !(1..=100).contains(&self.max_attempts) {
            return invalid("attempts: expected a whole number from 1 to 100");
        }
        if self.run_at_ms.is_some_and(|at| at > furthest || at < 0) {
            return invalid("runAt: expected unix milliseconds, at most a year ahead");
        }
        if self.args.len() > LARGEST_ARGS {
            return invalid("data: expected at most 8192 bytes of JSON");
        }
        if self.unique.as_ref().is_some_and(|key| key.len() > 512) {
            return invalid("unique: expected at most 512 bytes");
        }
        Ok(())
    }

    /// The spec as it is stored: a line of JSON, then the arguments.
    pub(super) fn to_spec(&self, now_ms: i64) -> String {
        let spec = Spec {
            v: 1,
            kind: self.kind.clone(),
            priority: self.priority,
            max_attempts: self.max_attempts,
            enqueued: now_ms,
            run_at: self.run_at(now_ms),
            backoff: self.backoff.clone(),
            unique: self.unique.clone(),
            traceparent: self.traceparent.clone(),
        };
        let line = serde_json::to_string(&spec).unwrap_or_default();
        format!("{line}\n{}", self.args)
    }

    /// When it may run: a time that has passed is now.
    pub(super) fn run_at(&self, now_ms: i64) -> i64 {
        self.run_at_ms.unwrap_or(now_ms).max(now_ms)
    }
}

/// What never changes about a stored job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Spec {
    pub v: u8,
    pub kind: String,
    pub priority: u8,
    pub max_attempts: u32,
    pub enqueued: i64,
    pub run_at: i64,
    #[serde(default)]
    pub backoff: Backoff,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl Spec {
    /// Splits a stored spec from the arguments behind it.
    pub fn parse<'a>(id: &str, text: &'a str) -> Result<(Spec, &'a str), Error> {
        let (line, args) = text.split_once('\n').unwrap_or((text, "null"));
        let spec = serde_json::from_str(line).map_err(|source| Error::Unreadable {
            id: id.to_owned(),
            source,
        })?;
        Ok((spec, args))
    }
}

/// What changes about a stored job; absent until the first claim.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Header {
    pub state: StoredState,
    pub fence: u64,
    pub attempts: i64,
    #[serde(default)]
    pub run_at: i64,
    pub started: Option<i64>,
    pub finished: Option<i64>,
    #[serde(default)]
    pub errors: Vec<JobError>,
}

/// The states a header knows; the index tells waiting from delayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StoredState {
    Waiting,
    Active,
    Completed,
    Failed,
    Cancelled,
}

impl Header {
    pub fn parse(id: &str, text: &str) -> Result<Header, Error> {
        serde_json::from_str(text).map_err(|source| Error::Unreadable {
            id: id.to_owned(),
            source,
        })
    }
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobError {
    /// Unix milliseconds.
    pub at: i64,
    pub attempt: i64,
    pub message: String,
}

/// Which attempt of a job this is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    pub id: JobId,
    /// Claims of this job so far; higher than in every attempt before.
    pub fence: u64,
}

/// A job as the API shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    pub id: JobId,
    #[serde(rename = "type")]
    pub kind: String,
    pub state: JobState,
    pub priority: u8,
    /// As the handler last told it.
    pub progress: Option<Value>,
    /// The arguments.
    pub data: Box<RawValue>,
    /// The result of a completed job.
    pub returnvalue: Option<Value>,
    /// The last error of a job that failed.
    pub failed_reason: Option<String>,
    /// Attempts begun; a lost lease and a snooze are none.
    pub attempts_made: i64,
    pub max_attempts: u32,
    /// Times in unix milliseconds.
    pub created_at: i64,
    pub run_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub scan_id: JobId,
    /// The last five errors, oldest first.
    pub errors: Vec<JobError>,
    /// Claims so far.
    #[serde(skip)]
    pub fence: u64,
}

/// The stored parts of a job.
pub(super) struct Stored {
    pub header: Option<String>,
    pub spec: String,
    pub data: Option<String>,
    pub progress: Option<String>,
}

impl Job {
    pub(super) fn from_stored(id: JobId, stored: Stored, now_ms: i64) -> Result<Job, Error> {
        let (spec, args) = Spec::parse(id.as_str(), &stored.spec)?;
        let header = match &stored.header {
            Some(text) => Some(Header::parse(id.as_str(), text)?),
            None => None,
        };
        let run_at = header.as_ref().map_or(spec.run_at, |h| h.run_at);
        let state = match header.as_ref().map(|h| h.state) {
            None | Some(StoredState::Waiting) if run_at > now_ms => JobState::Delayed,
            None | Some(StoredState::Waiting) => JobState::Waiting,
            Some(StoredState::Active) => JobState::Active,
            Some(StoredState::Completed) => JobState::Completed,
            Some(StoredState::Failed) => JobState::Failed,
            Some(StoredState::Cancelled) => JobState::Cancelled,
        };
        let value = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        let errors = header.as_ref().map_or(Vec::new(), |h| h.errors.clone());
        let unreadable = |source| Error::Unreadable {
            id: id.to_string(),
            source,
        };
        Ok(Job {
            kind: spec.kind,
            state,
            priority: spec.priority,
            progress: value(stored.progress),
            data: RawValue::from_string(args.to_owned()).map_err(unreadable)?,
            returnvalue: value(stored.data.filter(|_| state == JobState::Completed)),
            failed_reason: errors
                .last()
                .filter(|_| state == JobState::Failed)
                .map(|error| error.message.clone()),
            attempts_made: header.as_ref().map_or(0, |h| h.attempts),
            max_attempts: spec.max_attempts,
            created_at: spec.enqueued,
            run_at,
            started_at: header.as_ref().and_then(|h| h.started),
            finished_at: header.as_ref().and_then(|h| h.finished),
            scan_id: id.clone(),
            errors,
            fence: header.as_ref().map_or(0, |h| h.fence),
            id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = JobId::new(&Clock::manual(1_800_000_000_000));
        assert_eq!(JobId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(JobId::parse(&id.as_str().to_lowercase()), None);
        assert_eq!(JobId::parse("01J/../x"), None);
        assert_eq!(id.created_ms(), 1_800_000_000_000);
    }

    #[test]
    fn arguments_are_kept_to_the_byte() {
        let clock = Clock::manual(1);
        let mut job = NewJob::new(JobId::new(&clock), "scan", &serde_json::json!({})).unwrap();
        job.args = "{\"a\":[],\"n\":9007199254740993,\"s\":\"\\n|é\"}".into();
        let text = job.to_spec(5);
        let (spec, args) = Spec::parse("x", &text).unwrap();
        assert_eq!(args, job.args);
        assert_eq!((spec.enqueued, spec.run_at, spec.priority), (5, 5, 5));
    }

    #[test]
    fn what_cannot_be_a_job_is_named() {
        let clock = Clock::manual(1000);
        let job = NewJob::new(JobId::new(&clock), "scan", &()).unwrap();
        let with = |change: fn(&mut NewJob)| {
            let mut job = job.clone();
            change(&mut job);
            job.check(1000).err().map(|error| error.to_string())
        };
        assert_eq!(with(|_| {}), None);
        assert!(with(|job| job.priority = 11).is_some_and(|e| e.starts_with("priority:")));
        assert!(with(|job| job.max_attempts = 0).is_some_and(|e| e.starts_with("attempts:")));
        assert!(
            with(|job| job.run_at_ms = Some(i64::MAX)).is_some_and(|e| e.starts_with("runAt:"))
        );
        assert!(with(|job| job.args = "x".repeat(8193)).is_some_and(|e| e.starts_with("data:")));
    }
}
