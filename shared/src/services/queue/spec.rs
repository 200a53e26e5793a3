//! The stored form of a job, as the scripts and Rust read and write it.

use serde::{Deserialize, Serialize};

use super::{Backoff, Error};

/// The part of a stored job that seldom changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Spec {
    /// The format: 1, or 2 if the job uses something that the first scripts did not know.
    pub v: u8,
    pub kind: String,
    pub priority: u8,
    pub max_attempts: u32,
    pub enqueued: i64,
    pub run_at: i64,
    #[serde(default)]
    pub backoff: Backoff,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_jitter: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The longest time of an attempt, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// The latest time at which the job may begin, in unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    /// The size of the arguments in bytes, if they are in a key of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<usize>,
    /// The rest of the chain: jobs that follow this one, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<Successor>,
    /// The id of the job before it in the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The batch that this job counts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// The batch that this job is the last of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_end: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// A job that is stored when another one has completed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Successor {
    pub id: String,
    pub spec: Spec,
    /// JSON as text, because the scripts do not look inside.
    pub args: String,
}

impl Spec {
    /// Splits a stored spec into its JSON and the arguments that follow it.
    pub fn parse<'a>(id: &str, text: &'a str) -> Result<(Spec, &'a str), Error> {
        let (line, args) = text.split_once('\n').unwrap_or((text, "null"));
        let spec = serde_json::from_str(line).map_err(|source| Error::Unreadable {
            id: id.to_owned(),
            source,
        })?;
        Ok((spec, args))
    }
}

/// The part of a stored job that changes. It does not exist until the first claim.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Header {
    pub state: StoredState,
    pub fence: u64,
    pub attempts: i64,
    #[serde(default)]
    pub run_at: i64,
    pub started: Option<i64>,
    pub finished: Option<i64>,
    /// The fence of the latest attempt whose outcome was accepted.
    pub settled: Option<u64>,
    /// Where the result is, if it is not in the record.
    pub result: Option<StoredResult>,
    #[serde(default)]
    pub errors: Vec<JobError>,
}

/// The states that a header stores. The index tells whether a waiting job is delayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StoredState {
    Waiting,
    Active,
    Completed,
    Failed,
    Cancelled,
}

/// What became of a result that is too large for the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StoredResult {
    /// It is in a key of its own.
    Blob,
    /// It was too large even for a key of its own, and was dropped.
    Dropped,
}

impl Header {
    pub fn parse(id: &str, text: &str) -> Result<Header, Error> {
        serde_json::from_str(text).map_err(|source| Error::Unreadable {
            id: id.to_owned(),
            source,
        })
    }
}

/// The code of a reason that has none.
const UNKNOWN: &str = "failed";

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(from = "StoredError", rename_all = "camelCase")]
pub struct JobError {
    /// When the attempt failed, in unix milliseconds.
    pub failed_at: i64,
    /// Which attempt failed, counted from 1.
    pub attempt: i64,
    /// What went wrong, for programs. A code never changes its meaning. `failed` if nothing
    /// more is known.
    pub error_code: String,
    /// What went wrong, in a sentence for people.
    pub error_message: String,
}

/// The stored form: the code, if there is one, is in brackets before the message.
#[derive(Deserialize, schemars::JsonSchema)]
struct StoredError {
    at: i64,
    attempt: i64,
    message: String,
}

impl JobError {
    /// Builds a reason that has a code.
    pub fn reason(code: &'static str, message: &str) -> String {
        format!("[{code}] {message}")
    }

    /// The reason this was.
    pub(super) fn to_reason(&self) -> String {
        match self.error_code.as_str() {
            UNKNOWN => self.error_message.clone(),
            code => format!("[{code}] {}", self.error_message),
        }
    }

    /// Splits a reason into its code and its message.
    pub fn parts(reason: &str) -> (&str, &str) {
        let is_code = |code: &str| {
            !code.is_empty()
                && code
                    .bytes()
                    .all(|byte| byte == b'_' || byte.is_ascii_lowercase())
        };
        reason
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("] "))
            .filter(|(code, _)| is_code(code))
            .unwrap_or((UNKNOWN, reason))
    }
}

impl From<StoredError> for JobError {
    fn from(stored: StoredError) -> JobError {
        let (code, message) = JobError::parts(&stored.message);
        JobError {
            failed_at: stored.at,
            attempt: stored.attempt,
            error_code: code.to_owned(),
            error_message: message.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_the_code_it_was_given() {
        let reason = JobError::reason("discord_unreachable", "Discord cannot be reached");
        let parts = ("discord_unreachable", "Discord cannot be reached");
        assert_eq!(JobError::parts(&reason), parts);
        for plain in ["timed out", "[1] is no code", "[] a", "[Big] a", "[a]b", ""] {
            assert_eq!(JobError::parts(plain), ("failed", plain));
        }
        for reason in [reason.as_str(), "timed out"] {
            let message = reason.to_owned();
            let error = JobError::from(StoredError {
                at: 1,
                attempt: 1,
                message,
            });
            assert_eq!(error.to_reason(), reason);
        }
    }
}
