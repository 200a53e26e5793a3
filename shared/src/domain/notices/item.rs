//! What there is to tell.

use serde::{Deserialize, Serialize};

/// The types of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ItemType {
    ScanFinished,
    ScanFailed,
    NewClips,
}

/// An item of a notice: the end of one scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    #[serde(rename = "type")]
    pub kind: ItemType,
    pub scan_id: String,
    /// The type of the scan's job.
    pub job_type: String,
    /// The channel. `None` if the scan was of the whole guild.
    pub channel_id: Option<String>,
    pub messages_scanned: u64,
    pub clips_found: u64,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    /// When the scan ended, in unix milliseconds.
    pub at: i64,
}
