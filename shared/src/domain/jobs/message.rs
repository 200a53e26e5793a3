//! The kind `message`: read these messages alone.

use serde::{Deserialize, Serialize};

use super::{JobKind, JobRequest, ScanOptions};
use crate::queue::{JobId, NewJob};

/// The kind as a request names it.
pub(super) static MESSAGE: JobKind = JobKind {
    name: MessageScan::KIND,
    reads: &["messageIds"],
    is_scan: false,
    into_job: from_request,
};

/// The arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageScan {
    pub guild_id: String,
    pub channel_id: String,
    pub message_ids: Vec<String>,
    #[serde(default)]
    pub options: ScanOptions,
}

impl MessageScan {
    pub const KIND: &'static str = "message";

    /// The most messages of one job.
    pub const MOST: usize = 100;
}

fn from_request(request: JobRequest, id: JobId) -> Result<NewJob, String> {
    let ids = request.message_ids.unwrap_or_default();
    if ids.is_empty() || ids.len() > MessageScan::MOST {
        return Err(format!(
            "messageIds: expected a list of 1 to {} ids",
            MessageScan::MOST
        ));
    }
    let scan = MessageScan {
        guild_id: request.guild_id.into(),
        channel_id: request.channel_id.into(),
        message_ids: ids.into_iter().map(String::from).collect(),
        options: request.options.unwrap_or_default().into(),
    };
    NewJob::new(id, MessageScan::KIND, &scan).map_err(|error| error.to_string())
}
