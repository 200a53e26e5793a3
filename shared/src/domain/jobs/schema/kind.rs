//! What differs from kind to kind.

use schemars::{JsonSchema, Schema};

use super::union::{is_required, remove_field};
use crate::jobs::channel::{BATCH, ChannelScan, RESCAN, SCAN};
use crate::jobs::export::{EXPORT, ExportJob, ExportResult};
use crate::jobs::guild::{CANCEL, CancelScans, GUILD, GuildScan};
use crate::jobs::import::{IMPORT, ImportFile};
use crate::jobs::message::{MESSAGE, MessageScan};
use crate::jobs::notice::{NOTICE, SendNotice};
use crate::jobs::standing::GuildScanResult;
use crate::jobs::{JobKind, REQUESTED};

/// A kind of job, as the schemas tell it from the others.
pub(super) trait Kind {
    /// What the names of its schemas begin with.
    const TITLE: &'static str;

    /// What a job of this kind does.
    const DESCRIPTION: &'static str;

    /// The arguments of a job.
    type Arguments: JsonSchema;

    /// What a completed job returns.
    type Result: JsonSchema;

    fn kind() -> &'static JobKind;

    /// Removes the fields that other kinds read and this one does not, except those that are
    /// always there.
    fn remove_others_fields(schema: &mut Schema) {
        let own = Self::kind().reads;
        let all = REQUESTED.iter().flat_map(|kind| kind.reads);
        for name in all.filter(|name| !own.contains(name)) {
            if !is_required(schema, name) {
                remove_field(schema, name);
            }
        }
    }
}

pub(super) struct Scan;
pub(super) struct Batch;
pub(super) struct Message;
pub(super) struct Rescan;
pub(super) struct Export;
pub(super) struct Guild;
pub(super) struct Cancel;
pub(super) struct Import;
pub(super) struct Notice;

impl Kind for Scan {
    const TITLE: &'static str = "Scan";
    const DESCRIPTION: &'static str =
        "Scans a channel: it continues where the last scan in the same mode ended.";
    type Arguments = ChannelScan;
    type Result = ScanResult;

    fn kind() -> &'static JobKind {
        &SCAN
    }
}

impl Kind for Batch {
    const TITLE: &'static str = "Batch";
    const DESCRIPTION: &'static str = "Scans a number of messages of a channel.";
    type Arguments = ChannelScan;
    type Result = ScanResult;

    fn kind() -> &'static JobKind {
        &BATCH
    }
}

impl Kind for Rescan {
    const TITLE: &'static str = "Rescan";
    const DESCRIPTION: &'static str = "Reads a channel, or a stretch of it, again from the newest message down: it finds clips that were left out before, and removes those that are gone.";
    type Arguments = ChannelScan;
    type Result = ScanResult;

    fn kind() -> &'static JobKind {
        &RESCAN
    }
}

impl Kind for Message {
    const TITLE: &'static str = "Message";
    const DESCRIPTION: &'static str = "Scans the named messages and no others.";
    type Arguments = MessageScan;
    type Result = MessageResult;

    fn kind() -> &'static JobKind {
        &MESSAGE
    }
}

impl Kind for Export {
    const TITLE: &'static str = "Export";
    const DESCRIPTION: &'static str =
        "Writes clips into a file. `POST /api/guilds/{guildId}/exports` creates such a job.";
    type Arguments = ExportJob;
    type Result = ExportResult;

    fn kind() -> &'static JobKind {
        &EXPORT
    }
}

impl Kind for Guild {
    const TITLE: &'static str = "Guild";
    const DESCRIPTION: &'static str =
        "Scans a guild: it stores a scan of each channel and follows them until all have ended.";
    type Arguments = GuildScan;
    type Result = GuildScanResult;

    fn kind() -> &'static JobKind {
        &GUILD
    }
}

impl Kind for Cancel {
    const TITLE: &'static str = "Cancel";
    const DESCRIPTION: &'static str = "Cancels the scans that a cancelled guild scan has stored.";
    type Arguments = CancelScans;
    type Result = CancelResult;

    fn kind() -> &'static JobKind {
        &CANCEL
    }
}

impl Kind for Import {
    const TITLE: &'static str = "Import";
    const DESCRIPTION: &'static str = "Scans an uploaded file of DiscordChatExporter.";
    type Arguments = ImportFile;
    type Result = ImportResult;

    fn kind() -> &'static JobKind {
        &IMPORT
    }
}

impl Kind for Notice {
    const TITLE: &'static str = "Notice";
    const DESCRIPTION: &'static str = "Sends a notice to the webhook of a guild.";
    type Arguments = SendNotice;
    type Result = NoticeResult;

    fn kind() -> &'static JobKind {
        &NOTICE
    }
}

/// What an import did.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only its schema is used")]
pub(super) struct ImportResult {
    /// The id of the channel that the file is of.
    channel_id: String,
    /// How many messages were read.
    messages_scanned: u64,
    /// How many clips were found that were not known before.
    clips_found: u64,
    /// How many messages could not be read.
    unreadable_messages: u64,
}

/// What a notice told.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only its schema is used")]
pub(super) struct NoticeResult {
    /// How many ended scans the notice told of. 0 if another notice had told of them.
    items_sent: u64,
}

/// What a scan or batch did.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only its schema is used")]
pub(super) struct ScanResult {
    /// How many messages were read.
    messages_scanned: u64,
    /// How many clips were found that were not known before.
    clips_found: u64,
    /// How many messages could not be read.
    unreadable_messages: u64,
    /// Whether the scan reached the channel's beginning.
    reached_start: bool,
}

/// What a job for single messages did.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only its schema is used")]
pub(super) struct MessageResult {
    /// How many messages were read.
    messages_scanned: u64,
    /// How many clips were found that were not known before.
    clips_found: u64,
    /// How many messages are gone or could not be read.
    missing_messages: u64,
}

/// What a job that cancels scans did.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only its schema is used")]
pub(super) struct CancelResult {
    /// How many scans were cancelled, or asked to stop.
    scans_cancelled: u64,
}
