//! The arguments of jobs: one file per kind, and the table of kinds. The code that runs
//! them is in the drainer (`functions/drain/src/jobs`, also with one file per kind).
//!
//! To add a kind:
//! 1. `jobs/<kind>.rs`: its arguments and its [`JobKind`];
//! 2. in this file: its line in `kinds!`, the fields that only it uses in [`JobRequest`],
//!    and how they become its arguments; or, if no request names it, its line in `INTERNAL`;
//! 3. `functions/drain/src/jobs/<kind>.rs`: its `run` function;
//! 4. its line in the `mod.rs` there;
//! 5. in `schema/`, what its jobs hold, for callers; `docs/openapi.json` is generated;
//! 6. a test.

mod channel;
mod export;
mod guild;
mod import;
mod kind;
mod message;
mod notice;
mod options;
mod probe;
mod schema;
mod standing;
mod state;

use serde::Deserialize;

pub use channel::{ChannelScan, Direction, ScanMode, ScanOptions};
pub use export::{ExportJob, ExportResult};
pub use guild::{CancelScans, ChannelFilter, GuildScan};
pub use import::ImportFile;
pub use kind::JobKind;
pub use message::MessageScan;
pub use notice::SendNotice;
pub use options::OptionsRequest;
pub use probe::ClipProbe;
pub use schema::{ScanEvent, TypedJob, TypedJobRequest};
pub use standing::{
    ChannelCounts, ChannelStanding, GuildScanResult, GuildScanState, GuildStanding, fold,
};
pub use state::{Amount, ScanState};

use options::JobOptions;

use crate::discord::MessageId;
use crate::input::{Bounded, FieldCode, FieldError, Moment, Snowflake};
use crate::queue::{JobId, NewJob};

/// Defines the names of the kinds in requests, the lookup by name, and how a request
/// becomes a job of each kind.
macro_rules! kinds {
    ($($name:ident = $kind:path, $into_job:path;)+) => {
        #[derive(Clone, Copy, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "lowercase")]
        #[schemars(inline)]
        enum KindName {
            $($name,)+
        }

        impl KindName {
            fn kind(self) -> &'static JobKind {
                match self {
                    $(KindName::$name => &$kind,)+
                }
            }

            fn into_job(self) -> fn(JobRequest, JobId) -> Result<NewJob, FieldError> {
                match self {
                    $(KindName::$name => $into_job,)+
                }
            }
        }

        /// The kinds of jobs that a request names.
        static REQUESTED: &[&JobKind] = &[$(&$kind,)+];

        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($name),)+];
    };
}

kinds! {
    Scan = channel::SCAN, JobRequest::scan;
    Batch = channel::BATCH, JobRequest::batch;
    Rescan = channel::RESCAN, JobRequest::rescan;
    Message = message::MESSAGE, JobRequest::message;
}

/// The kinds of jobs that only routes of their own, the drainer or other jobs store. No
/// request names them.
static INTERNAL: &[&JobKind] = &[
    &export::EXPORT,
    &guild::GUILD,
    &guild::CANCEL,
    &import::IMPORT,
    &notice::NOTICE,
];

/// The kinds of jobs that find no clips. They are not listed among scans.
const NOT_SCANS: &[&str] = &[ExportJob::KIND, CancelScans::KIND, SendNotice::KIND];

impl JobKind {
    /// Every kind of job.
    pub fn all() -> impl Iterator<Item = &'static JobKind> {
        REQUESTED.iter().chain(INTERNAL).copied()
    }

    /// The kind with this name.
    pub fn named(name: &str) -> Option<&'static JobKind> {
        JobKind::all().find(|kind| kind.name == name)
    }

    /// Whether a job of the kind with this name finds clips.
    pub fn finds_clips(name: &str) -> bool {
        !NOT_SCANS.contains(&name)
    }
}

/// A job as producers spell it, in either way of writing names. One struct for all
/// types, so that a mistake is named by its path.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobRequest {
    /// What the job does.
    #[serde(rename = "type")]
    kind: KindName,
    /// The id of the guild that the channel is in.
    #[serde(alias = "guild_id")]
    guild_id: Snowflake,
    /// The id of the channel or thread to read.
    #[serde(alias = "channel_id")]
    channel_id: Snowflake,
    /// Which way to read. Defaults to `forward`.
    #[serde(alias = "scan_mode")]
    scan_mode: Option<ScanMode>,
    /// Which way to read. Defaults to `backward`.
    direction: Option<Direction>,
    /// How many messages to read at most. Defaults to 100.
    limit: Option<Bounded<1, 1_000_000>>,
    /// Reads only messages older than this one.
    #[serde(alias = "before_message_id")]
    before_message_id: Option<Snowflake>,
    /// Reads only messages newer than this one.
    #[serde(alias = "after_message_id")]
    after_message_id: Option<Snowflake>,
    /// Reads only messages posted before this time, in place of `beforeMessageId`: unix
    /// milliseconds or RFC 3339.
    before: Option<Moment>,
    /// Reads only messages posted at this time or later, in place of `afterMessageId`.
    after: Option<Moment>,
    /// Whether to continue to the end of the channel, whatever `limit` says. Defaults to
    /// `false`.
    #[serde(alias = "auto_continue")]
    auto_continue: Option<bool>,
    /// The ids of the messages to read.
    #[serde(alias = "message_ids")]
    message_ids: Option<Vec<Snowflake>>,
    /// Limits on what the job reads and stores.
    options: Option<JobOptions>,
    /// When the job runs relative to others: 1 first, 10 last. Scans and batches default to
    /// the guild's setting, jobs for single messages to 5.
    priority: Option<Bounded<1, 10>>,
    /// When to run at the earliest. Defaults to now; a time in the past is refused.
    #[serde(alias = "run_at")]
    run_at: Option<Moment>,
}

impl JobRequest {
    /// Whether the job reads a range of a channel instead of single messages.
    pub fn is_scan(&self) -> bool {
        self.kind.kind().is_scan
    }

    /// The name of its type.
    pub fn kind(&self) -> &'static str {
        self.kind.kind().name
    }

    /// The fields that are set but not used by jobs of this type.
    pub fn misplaced(&self) -> Vec<&'static str> {
        let options = self.options.as_ref();
        let most = options.and_then(|options| options.max_messages);
        let threads = options.and_then(|options| options.include_threads);
        let sent = [
            ("scanMode", self.scan_mode.is_some()),
            ("direction", self.direction.is_some()),
            ("limit", self.limit.is_some()),
            ("autoContinue", self.auto_continue.is_some()),
            ("beforeMessageId", self.before_message_id.is_some()),
            ("afterMessageId", self.after_message_id.is_some()),
            ("before", self.before.is_some()),
            ("after", self.after.is_some()),
            ("messageIds", self.message_ids.is_some()),
            ("options.maxMessages", most.is_some()),
            ("options.includeThreads", threads.is_some()),
        ];
        let reads = self.kind.kind().reads;
        let misplaced = sent.into_iter().filter(|(_, is_sent)| *is_sent);
        let names = misplaced.map(|(name, _)| name);
        names.filter(|name| !reads.contains(name)).collect()
    }

    /// Its guild and channel.
    pub fn place(&self) -> (&str, &str) {
        (self.guild_id.as_str(), self.channel_id.as_str())
    }

    /// The priority it names.
    pub fn priority(&self) -> Option<u8> {
        self.priority.map(|priority| priority.get() as u8)
    }

    /// The earliest time at which it may run.
    pub fn run_at(&self) -> Option<Moment> {
        self.run_at
    }

    /// Builds the job.
    ///
    /// # Errors
    /// Names the field that conflicts with others, and what it may be.
    pub fn into_job(self, id: JobId) -> Result<NewJob, FieldError> {
        let (priority, run_at) = (self.priority(), self.run_at);
        let mut job = (self.kind.into_job())(self, id)?;
        if let Some(priority) = priority {
            job.priority = priority;
        }
        // A time in the past means now. Whether a caller may give one is for the route to
        // decide.
        job.run_at_ms = run_at.map(Moment::ms);
        Ok(job)
    }

    fn scan(self, id: JobId) -> Result<NewJob, FieldError> {
        let mode = self.scan_mode.unwrap_or(ScanMode::Forward);
        let scan = ChannelScan {
            scan_mode: Some(mode),
            ..self.stretch()?
        };
        scan.into_job(id).map_err(not_storable)
    }

    fn batch(self, id: JobId) -> Result<NewJob, FieldError> {
        let direction = self.direction.unwrap_or(Direction::Backward);
        let limit = self.limit.map_or(100, Bounded::get);
        let batch = ChannelScan {
            direction: Some(direction),
            limit: Some(limit),
            ..self.stretch()?
        };
        batch.into_job(id).map_err(not_storable)
    }

    fn rescan(self, id: JobId) -> Result<NewJob, FieldError> {
        let rescan = ChannelScan {
            rescan: true,
            ..self.stretch()?
        };
        rescan.into_job(id).map_err(not_storable)
    }

    /// The arguments that scans, batches and rescans share.
    fn stretch(self) -> Result<ChannelScan, FieldError> {
        let invalid = |field, detail: &str| FieldError::field(field, FieldCode::Invalid, detail);
        let before = match (self.before_message_id, self.before) {
            (Some(_), Some(_)) => {
                return Err(invalid("before", "cannot be combined with beforeMessageId"));
            }
            (None, Some(time)) => Some(MessageId::at(time.ms()).0.to_string()),
            (id, None) => id.map(String::from),
        };
        let after = match (self.after_message_id, self.after) {
            (Some(_), Some(_)) => {
                return Err(invalid("after", "cannot be combined with afterMessageId"));
            }
            // The end itself is not read, so it lies before the first message of that time.
            (None, Some(time)) => Some(MessageId::at(time.ms()).0.saturating_sub(1).to_string()),
            (id, None) => id.map(String::from),
        };
        let number = |text: &Option<String>| text.as_ref().and_then(|id| id.parse::<u64>().ok());
        if number(&after)
            .zip(number(&before))
            .is_some_and(|(after, before)| after >= before)
        {
            let field = match self.after {
                Some(_) => "after",
                None => "afterMessageId",
            };
            return Err(invalid(
                field,
                "must lie before the other end: nothing is in between",
            ));
        }
        Ok(ChannelScan {
            guild_id: self.guild_id.into(),
            channel_id: self.channel_id.into(),
            scan_mode: None,
            direction: None,
            limit: None,
            before_message_id: before,
            after_message_id: after,
            rescan: false,
            auto_continue: self.auto_continue.unwrap_or(false),
            guild_scan_id: None,
            scheduled: false,
            options: self.options.unwrap_or_default().into(),
        })
    }

    fn message(self, id: JobId) -> Result<NewJob, FieldError> {
        let Some(ids) = self.message_ids else {
            let detail = "required for a job of type message";
            return Err(FieldError::field("messageIds", FieldCode::Missing, detail));
        };
        let scan = MessageScan {
            guild_id: self.guild_id.into(),
            channel_id: self.channel_id.into(),
            message_ids: ids.into_iter().map(String::from).collect(),
            options: self.options.unwrap_or_default().into(),
        };
        scan.into_job(id)
    }
}

/// The queue refuses the job as a whole.
fn not_storable(error: crate::queue::Error) -> FieldError {
    FieldError::body(FieldCode::Invalid, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_stored_under_the_name_a_request_gives() {
        for (kind, name) in REQUESTED.iter().zip(NAMES) {
            assert_eq!(kind.name, name.to_lowercase());
        }
    }

    #[test]
    fn a_field_of_another_kind_is_misplaced() {
        let misplaced = |fields: &str| {
            let id = "1200000000000000001";
            let text = format!(r#"{{"guildId": "{id}", "channelId": "{id}", {fields}}}"#);
            let request: JobRequest = serde_json::from_str(&text).unwrap();
            request.misplaced()
        };
        assert!(misplaced(r#""type": "scan", "scanMode": "backfill""#).is_empty());
        let batch = r#""type": "batch", "scanMode": "backfill", "limit": 5"#;
        assert_eq!(misplaced(batch), ["scanMode"]);
        let message = r#""type": "message", "limit": 5, "messageIds": [], "afterMessageId": "1200000000000000001""#;
        assert_eq!(misplaced(message), ["limit", "afterMessageId"]);
    }
}
