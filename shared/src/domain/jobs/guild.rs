//! The kinds `guild` and `cancel`: a scan of a whole guild, and what is left to do when one
//! was cancelled.

use serde::{Deserialize, Serialize};

use super::{JobKind, ScanMode, ScanOptions};
use crate::json::to_json;
use crate::queue::{self, JobId, NewJob};

/// It lists the channels and threads of a guild, stores a scan of each, and follows them.
pub(super) static GUILD: JobKind = JobKind {
    name: GuildScan::KIND,
    reads: &["scanMode", "options.maxMessages", "options.includeThreads"],
    is_scan: false,
};

/// It cancels the scans that a cancelled guild scan has stored.
pub(super) static CANCEL: JobKind = JobKind {
    name: CancelScans::KIND,
    reads: &[],
    is_scan: false,
};

/// Which channels of a guild are scanned. Each id may be that of a channel, of a thread, or
/// of a category, which stands for the channels in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ChannelFilter {
    /// Scans only these, and threads in them. Without it, all are scanned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Leaves these out, and threads in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}

/// The arguments of a guild scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GuildScan {
    /// The id of the guild.
    pub guild_id: String,
    /// Which way the channels are read. Defaults to `forward`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan_mode: Option<ScanMode>,
    /// Which channels are scanned.
    #[serde(default)]
    pub channels: ChannelFilter,
    /// Limits on what the scan of each channel reads and stores.
    #[serde(default)]
    pub options: ScanOptions,
    /// Scans only the threads of this channel that no scan has read yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads_of: Option<String>,
    /// Whether a schedule has stored the job. It then leaves out channels without news.
    /// Absent if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scheduled: bool,
}

impl GuildScan {
    pub const KIND: &'static str = "guild";

    /// A forward scan of everything in a guild.
    pub fn new(guild_id: &str) -> GuildScan {
        GuildScan {
            guild_id: guild_id.to_owned(),
            scan_mode: None,
            channels: ChannelFilter::default(),
            options: ScanOptions::default(),
            threads_of: None,
            scheduled: false,
        }
    }

    /// Which way its channels are read.
    pub fn mode(&self) -> ScanMode {
        self.scan_mode.unwrap_or(ScanMode::Forward)
    }

    /// Builds the job. While it is unfinished, another one for the same channels in the same
    /// mode is a duplicate. One for other channels is not: those that both name are scanned
    /// once, because each channel's scan has a unique key of its own.
    ///
    /// # Errors
    /// If the arguments cannot be serialised.
    pub fn into_job(self, id: JobId) -> Result<NewJob, queue::Error> {
        let mut job = NewJob::new(id, Self::KIND, &self)?;
        let mode = match self.mode() {
            ScanMode::Forward => "forward",
            ScanMode::Backfill => "backfill",
        };
        let what = match &self.threads_of {
            Some(channel) => format!("threads:{channel}"),
            None => sha1_smol::Sha1::from(to_json(&self.channels))
                .digest()
                .to_string()[..16]
                .to_owned(),
        };
        job.unique = Some(format!("guild:{}:{mode}:{what}", self.guild_id));
        Ok(job)
    }
}

/// The arguments of the job that cancels the scans of a guild scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancelScans {
    /// The id of the cancelled guild scan.
    pub cancelled_scan_id: JobId,
}

impl CancelScans {
    pub const KIND: &'static str = "cancel";

    /// Builds the job. One at a time for each guild scan.
    ///
    /// # Errors
    /// If the arguments cannot be serialised.
    pub fn into_job(self, id: JobId) -> Result<NewJob, queue::Error> {
        let mut job = NewJob::new(id, Self::KIND, &self)?;
        job.unique = Some(format!("cancel:{}", self.cancelled_scan_id));
        // Before the scans that it cancels.
        job.priority = 1;
        Ok(job)
    }
}
