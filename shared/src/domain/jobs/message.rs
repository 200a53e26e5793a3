//! The kind `message`: reads single messages.

use serde::{Deserialize, Serialize};

use super::{JobKind, ScanOptions};
use crate::input::{FieldCode, FieldError};
use crate::queue::{JobId, NewJob};

/// The kind as a request names it.
pub(super) static MESSAGE: JobKind = JobKind {
    name: MessageScan::KIND,
    reads: &["messageIds"],
    is_scan: false,
};

/// The arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageScan {
    /// The id of the guild.
    pub guild_id: String,
    /// The id of the channel or thread.
    pub channel_id: String,
    /// The ids of the messages to read.
    pub message_ids: Vec<String>,
    /// Limits on what the job stores.
    #[serde(default)]
    pub options: ScanOptions,
}

impl MessageScan {
    pub const KIND: &'static str = "message";

    /// Maximum number of messages per job.
    pub const MOST: usize = 100;

    /// Builds the job.
    ///
    /// # Errors
    /// If there are no messages, or too many.
    pub fn into_job(self, id: JobId) -> Result<NewJob, FieldError> {
        if self.message_ids.is_empty() || self.message_ids.len() > Self::MOST {
            let most = Self::MOST;
            let expected = format!("expected an array of 1 to {most} ids");
            let code = FieldCode::OutOfRange;
            return Err(FieldError::field("messageIds", code, expected));
        }
        NewJob::new(id, Self::KIND, &self)
            .map_err(|error| FieldError::body(FieldCode::Invalid, error.to_string()))
    }
}
