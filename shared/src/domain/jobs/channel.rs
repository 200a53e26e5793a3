//! The kinds `scan` and `batch`: read a range of a channel.

use serde::{Deserialize, Serialize};

use super::JobKind;
use crate::queue::{self, JobId, NewJob};
use crate::scan::IncludeThreads;

/// A scan continues where the last scan in the same mode ended and reads to the end of
/// the channel.
pub(super) static SCAN: JobKind = JobKind {
    name: ChannelScan::SCAN,
    reads: &[
        "scanMode",
        "beforeMessageId",
        "afterMessageId",
        "before",
        "after",
        "options.maxMessages",
        "options.includeThreads",
    ],
    is_scan: true,
};

/// A batch reads a given number of messages.
pub(super) static BATCH: JobKind = JobKind {
    name: ChannelScan::BATCH,
    reads: &[
        "direction",
        "limit",
        "autoContinue",
        "beforeMessageId",
        "afterMessageId",
        "before",
        "after",
        "options.maxMessages",
    ],
    is_scan: true,
};

/// A rescan reads what was read before, to find what has changed since.
pub(super) static RESCAN: JobKind = JobKind {
    name: ChannelScan::RESCAN,
    reads: &[
        "beforeMessageId",
        "afterMessageId",
        "before",
        "after",
        "rescan",
        "options.maxMessages",
    ],
    is_scan: true,
};

/// Which way a scan reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ScanMode {
    /// Reads what is newer than the newest message read so far. Then, unless the number of
    /// messages is limited, reads what is older than the oldest one, to the channel's
    /// beginning.
    Forward,
    /// Reads what is older than the oldest message read so far, to the channel's beginning.
    Backfill,
}

/// Which way a batch reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From older messages to newer ones.
    Forward,
    /// From newer messages to older ones.
    Backward,
}

/// Limits on what a scan reads and stores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScanOptions {
    /// How many messages to read at most. Without it, the scan reads to the end of the
    /// channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_messages: Option<u64>,
    /// Leaves out clips that are declared to be shorter. Without it, the guild's setting
    /// applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_video_seconds: Option<f64>,
    /// Which threads of the channel a forward scan reads too. Without it, none; for the scan
    /// of a guild, those of the guild's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_threads: Option<IncludeThreads>,
}

/// Arguments of the kinds `scan` and `batch`: read a stretch of a channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChannelScan {
    /// The id of the guild.
    pub guild_id: String,
    /// The id of the channel or thread.
    pub channel_id: String,
    /// Which way a scan reads. Present with type `scan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan_mode: Option<ScanMode>,
    /// Which way a batch reads. Present with type `batch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// How many messages a batch reads at most. Present with type `batch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Reads only messages older than this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_message_id: Option<String>,
    /// Reads only messages newer than this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_message_id: Option<String>,
    /// Whether a batch continues to the end of the channel, whatever `limit` says.
    #[serde(default)]
    pub auto_continue: bool,
    /// Whether what was read before is read again. Present with type `rescan`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rescan: bool,
    /// The guild scan that has stored the job. Absent if none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guild_scan_id: Option<String>,
    /// Whether a schedule has stored the job. Absent if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scheduled: bool,
    /// Limits on what the job reads and stores.
    #[serde(default)]
    pub options: ScanOptions,
}

impl ChannelScan {
    pub const SCAN: &'static str = "scan";
    pub const BATCH: &'static str = "batch";
    pub const RESCAN: &'static str = "rescan";

    /// The kinds that read a channel page by page.
    pub const KINDS: [&'static str; 3] = [Self::SCAN, Self::BATCH, Self::RESCAN];

    /// The forms of [`ChannelScan::unique_key`] in a guild, with `%s` in place of the channel.
    pub fn unique_forms(guild_id: &str) -> [String; 3] {
        ["forward", "backfill", "rescan"].map(|mode| format!("scan:{guild_id}:%s:{mode}"))
    }

    pub fn direction(&self) -> Direction {
        match (self.direction, self.scan_mode) {
            (Some(direction), _) => direction,
            (None, None) if self.rescan => Direction::Backward,
            (None, Some(ScanMode::Backfill)) => Direction::Backward,
            // Also for jobs stored before there were modes.
            (None, _) => Direction::Forward,
        }
    }

    /// Whether what was read before is read again.
    pub fn is_rescan(&self) -> bool {
        self.rescan
    }

    /// Maximum number of messages to list. `None` reads to the end of the channel.
    pub fn most(&self) -> Option<u64> {
        let limit = self.limit.filter(|_| !self.auto_continue);
        match (limit, self.options.max_messages) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Whether it continues to the start of the channel after it has read all newer
    /// messages.
    pub fn goes_to_start(&self) -> bool {
        let is_stretch = self.before_message_id.is_some() || self.after_message_id.is_some();
        self.most().is_none() && !is_stretch
    }

    /// Builds the job. Only one unfinished job per channel and direction may exist, and
    /// only one job per channel runs at a time.
    ///
    /// # Errors
    /// If the arguments cannot be serialised.
    pub fn into_job(self, id: JobId) -> Result<NewJob, queue::Error> {
        let kind = match (self.rescan, self.direction) {
            (true, _) => Self::RESCAN,
            (false, Some(_)) => Self::BATCH,
            (false, None) => Self::SCAN,
        };
        let mut job = NewJob::new(id, kind, &self)?;
        job.unique = self.unique_key();
        // Two jobs of one channel would only wait for each other, because its record has
        // a single owner.
        job.group = Some(self.channel_id);
        Ok(job)
    }

    /// While a scan with this key is unfinished, another one is a duplicate. A batch with
    /// its own range has no key. The guild is part of the key: a request that names the wrong
    /// guild fails, and must not take a correct one with it.
    pub fn unique_key(&self) -> Option<String> {
        // A different range is a different scan, even while another one runs.
        if self.before_message_id.is_some() || self.after_message_id.is_some() {
            return None;
        }
        let mode = match self.direction() {
            _ if self.rescan => "rescan",
            Direction::Forward => "forward",
            Direction::Backward => "backfill",
        };
        Some(format!("scan:{}:{}:{mode}", self.guild_id, self.channel_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(json: &str) -> ChannelScan {
        let ids = r#""guildId": "1", "channelId": "2""#;
        serde_json::from_str(&format!("{{{ids}{json}}}")).unwrap()
    }

    #[test]
    fn a_scan_is_bounded_where_a_number_is_asked_for() {
        assert_eq!(scan("").most(), None);
        assert!(scan("").goes_to_start());
        assert_eq!(scan(r#", "options": {"maxMessages": 7}"#).most(), Some(7));
        let batch = r#", "direction": "backward", "limit": 100"#;
        assert_eq!(scan(batch).most(), Some(100));
        let endless = scan(&format!("{batch}, \"autoContinue\": true"));
        assert!(endless.most().is_none() && endless.goes_to_start());
        assert!(!scan(r#", "afterMessageId": "5""#).goes_to_start());
    }

    #[test]
    fn scans_of_the_same_mode_are_one() {
        assert_eq!(scan("").unique_key().as_deref(), Some("scan:1:2:forward"));
        assert_eq!(scan(r#", "beforeMessageId": "5""#).unique_key(), None);
    }
}
