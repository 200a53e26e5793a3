//! What is stored of a job, as the scripts read and write it.

use serde::{Deserialize, Serialize};

use super::{Backoff, Error};

/// What seldom changes about a stored job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Spec {
    /// 1, or 2 when it asks for something the first scripts did not know.
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
    /// Milliseconds an attempt may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// When it must have begun, in unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    /// Bytes of the arguments, when they are in a key of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<usize>,
    /// The jobs that follow it, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<Successor>,
    /// The job it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The batch it counts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// The batch it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_end: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// A job that is stored when another has ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Successor {
    pub id: String,
    pub spec: Spec,
    /// As JSON text: scripts do not look inside.
    pub args: String,
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

/// What changes about a stored job. There is none until the first claim.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Header {
    pub state: StoredState,
    pub fence: u64,
    pub attempts: i64,
    #[serde(default)]
    pub run_at: i64,
    pub started: Option<i64>,
    pub finished: Option<i64>,
    /// The fence of the attempt whose outcome was accepted last.
    pub settled: Option<u64>,
    /// Where the result is, when it is not in the record.
    pub result: Option<StoredResult>,
    #[serde(default)]
    pub errors: Vec<JobError>,
}

/// The states a header knows; whether a job waits or is delayed shows in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StoredState {
    Waiting,
    Active,
    Completed,
    Failed,
    Cancelled,
}

/// A result too large for the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StoredResult {
    /// In a key of its own.
    Blob,
    /// Too large for that as well.
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

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(from = "StoredError")]
pub struct JobError {
    /// Unix milliseconds.
    pub at: i64,
    /// Which attempt failed, from 1.
    pub attempt: i64,
    /// What went wrong, for programs: it stays what it is when the words change. `failed`
    /// where nothing more is known.
    pub code: String,
    /// What went wrong, for people.
    pub message: String,
}

/// As it is stored: the code, if there is one, stands in brackets before the message.
#[derive(Deserialize, schemars::JsonSchema)]
struct StoredError {
    at: i64,
    attempt: i64,
    message: String,
}

impl JobError {
    /// A reason that has a code.
    pub fn reason(code: &'static str, message: &str) -> String {
        format!("[{code}] {message}")
    }

    /// The code and the message of a reason.
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
            .unwrap_or(("failed", reason))
    }
}

impl From<StoredError> for JobError {
    fn from(stored: StoredError) -> JobError {
        let (code, message) = JobError::parts(&stored.message);
        JobError {
            at: stored.at,
            attempt: stored.attempt,
            code: code.to_owned(),
            message: message.to_owned(),
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
    }
}
