//! How far a scan is, as it is stored with its job.

use serde::{Deserialize, Serialize};

/// The newest progress of a scan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScanProgress {
    /// Messages listed.
    pub current: u64,
    /// Messages to list, where that is bounded.
    pub total: Option<u64>,
    /// 0 to 100.
    pub percent: f64,
    pub clips_found: u64,
    /// Whether nothing of the channel is older than what was read; none of single
    /// messages.
    pub reached_start: Option<bool>,
    /// Unix milliseconds.
    pub updated_at: i64,
}
