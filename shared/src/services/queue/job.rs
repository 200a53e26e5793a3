//! A job as it is shown.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::spec::{Header, JobError, Spec, StoredResult, StoredState};
use super::{Error, JobId, JobState};

/// One attempt of a job.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The job.
    pub id: JobId,
    /// The number of claims of this job so far. Every attempt has a higher one than all
    /// before.
    pub fence: u64,
}

/// A job as the API shows it.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// The id of the job.
    pub id: JobId,
    /// What the job does.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether the job waits, runs, or how it ended.
    pub state: JobState,
    /// When the job runs relative to others: 1 first, 10 last.
    pub priority: u8,
    /// How far the job is, as it last reported. `null` before it has begun.
    pub progress: Option<Value>,
    /// The arguments of the job.
    pub data: Box<RawValue>,
    /// What the job did. `null` until it is completed.
    pub returnvalue: Option<Value>,
    /// Why the job failed, for programs: the code of its last error. `null` in any other state.
    pub error_code: Option<String>,
    /// Why the job failed, in a sentence for people. `null` in any other state.
    pub error_message: Option<String>,
    /// The same as `errorMessage`.
    pub failed_reason: Option<String>,
    /// How many attempts were begun. One that was interrupted through no fault of the job is
    /// not counted.
    pub attempts_made: i64,
    /// How many attempts there are before the job fails for good.
    pub max_attempts: u32,
    /// When the job was created, in unix milliseconds.
    pub created_at: i64,
    /// When the job may run, or run again, at the earliest, in unix milliseconds.
    pub run_at: i64,
    /// When the latest attempt began, in unix milliseconds. `null` before the first.
    pub started_at: Option<i64>,
    /// When the job ended, in unix milliseconds. `null` while it is unfinished.
    pub finished_at: Option<i64>,
    /// The same as `id`.
    pub scan_id: JobId,
    /// The last five failed attempts, oldest first.
    pub errors: Vec<JobError>,
    /// Whether the result was too large to be stored. Present if it was; the job is
    /// completed all the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub result_dropped: bool,
    /// The attempt whose result is in a key of its own, and not here.
    #[serde(skip)]
    pub result_in_own_key: Option<u64>,
    /// Bytes of the arguments, when they are in a key of their own, and not here.
    #[serde(skip)]
    pub data_in_own_key: Option<usize>,
    /// Where an unfinished job continues, as its handler wrote it.
    #[serde(skip)]
    pub checkpoint: Option<Value>,
    /// Claims so far.
    #[serde(skip)]
    pub fence: u64,
}

/// The parts of a job as they are stored.
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
        // The state `delayed` is not stored, so that a delayed job becomes waiting without
        // a write. A job without a header was never claimed.
        let state = match header.as_ref().map(|h| h.state) {
            None | Some(StoredState::Waiting) if run_at > now_ms => JobState::Delayed,
            None | Some(StoredState::Waiting) => JobState::Waiting,
            Some(StoredState::Active) => JobState::Active,
            Some(StoredState::Completed) => JobState::Completed,
            Some(StoredState::Failed) => JobState::Failed,
            Some(StoredState::Cancelled) => JobState::Cancelled,
        };
        let result = header.as_ref().and_then(|h| h.result);
        let settled = header.as_ref().and_then(|h| h.settled);
        let value = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        let errors = header.as_ref().map_or(Vec::new(), |h| h.errors.clone());
        let last_error = errors.last().filter(|_| state == JobState::Failed).cloned();
        let (error_code, error_message) = last_error
            .map(|error| (error.error_code, error.error_message))
            .unzip();
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
            checkpoint: value(stored.data.clone().filter(|_| !state.is_finished())),
            returnvalue: value(stored.data.filter(|_| state == JobState::Completed)),
            error_code,
            failed_reason: error_message.clone(),
            error_message,
            attempts_made: header.as_ref().map_or(0, |h| h.attempts),
            max_attempts: spec.max_attempts,
            created_at: spec.enqueued,
            run_at,
            started_at: header.as_ref().and_then(|h| h.started),
            finished_at: header.as_ref().and_then(|h| h.finished),
            scan_id: id.clone(),
            errors,
            result_dropped: result == Some(StoredResult::Dropped),
            result_in_own_key: settled.filter(|_| result == Some(StoredResult::Blob)),
            data_in_own_key: spec.blob,
            fence: header.as_ref().map_or(0, |h| h.fence),
            id,
        })
    }
}
