//! The options of a requested job, and how they become its own.

use serde::Deserialize;

use super::ScanOptions;
use crate::input::{Bounded, Seconds};
use crate::scan::IncludeThreads;

/// Limits on what a job reads and stores, in either way of writing names.
#[derive(Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct JobOptions {
    /// How many messages to read at most. Without it, the scan reads to the end of the
    /// channel.
    #[serde(alias = "max_messages")]
    pub(super) max_messages: Option<Bounded<1, 1_000_000>>,
    /// Leaves out clips that are declared to be shorter. Defaults to the guild's setting.
    #[serde(alias = "min_video_seconds")]
    pub(super) min_video_seconds: Option<Seconds>,
    /// Which threads of the channel a forward scan reads too. Defaults to `none`.
    #[serde(alias = "include_threads")]
    pub(super) include_threads: Option<IncludeThreads>,
}

/// Limits on what a scan reads and stores.
#[derive(Default, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ScanOptionsRequest")]
pub struct OptionsRequest {
    /// How many messages to read at most. Without it, the scan reads to the end of the
    /// channel.
    pub max_messages: Option<Bounded<1, 1_000_000>>,
    /// Leaves out clips that are declared to be shorter. Defaults to the guild's setting.
    pub min_video_seconds: Option<Seconds>,
    /// Which threads of the channel a forward scan reads too. Defaults to `none`; for the
    /// scan of a guild, to the guild's setting.
    pub include_threads: Option<IncludeThreads>,
}

impl From<JobOptions> for ScanOptions {
    fn from(options: JobOptions) -> ScanOptions {
        ScanOptions {
            max_messages: options.max_messages.map(Bounded::get),
            min_video_seconds: options.min_video_seconds.map(Seconds::get),
            include_threads: options.include_threads,
        }
    }
}

impl From<OptionsRequest> for ScanOptions {
    fn from(options: OptionsRequest) -> ScanOptions {
        ScanOptions {
            max_messages: options.max_messages.map(Bounded::get),
            min_video_seconds: options.min_video_seconds.map(Seconds::get),
            include_threads: options.include_threads,
        }
    }
}
