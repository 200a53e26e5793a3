//! The events of a scan by their type.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::union::{Union, object_of, set_field, set_type};
use crate::jobs::state::Amount;
use crate::progress::{EventType, Seen};
use crate::scan::{Clip, ScanStatus};

/// The schema of a [`Seen`] event, whose `data` depends on its type.
pub struct ScanEvent;

impl JsonSchema for ScanEvent {
    fn schema_name() -> Cow<'static, str> {
        "ScanEvent".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Union::new(generator)
            .or::<EventOf<ProgressData>>(ProgressData::TYPE.as_str())
            .or::<EventOf<ClipData>>(ClipData::TYPE.as_str())
            .or::<EventOf<RemovedData>>(RemovedData::TYPE.as_str())
            .or::<EventOf<StatusData>>(StatusData::TYPE.as_str())
            .or::<EventOf<LogData>>(LogData::TYPE.as_str())
            .described("An event of a scan. `type` decides what `data` holds.")
    }
}

/// What the events of a type carry.
trait EventData: JsonSchema {
    const TYPE: EventType;
    /// What the names of its schemas begin with.
    const TITLE: &'static str;
    const DESCRIPTION: &'static str;
}

struct EventOf<D>(PhantomData<D>);

impl<D: EventData> JsonSchema for EventOf<D> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Event", D::TITLE).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = object_of::<Seen>(generator);
        set_type(&mut schema, D::TYPE.as_str());
        let data = generator.subschema_for::<D>();
        set_field(&mut schema, "data", data.to_value());
        schema.insert("description".to_owned(), D::DESCRIPTION.into());
        schema
    }
}

macro_rules! event_data {
    ($data:ty, $kind:ident, $title:literal, $description:literal) => {
        impl EventData for $data {
            const TYPE: EventType = EventType::$kind;
            const TITLE: &'static str = $title;
            const DESCRIPTION: &'static str = $description;
        }
    };
}

event_data!(
    ProgressData,
    Progress,
    "Progress",
    "The scan has read more messages."
);
event_data!(ClipData, Clip, "Clip", "The scan has found clips.");
event_data!(
    RemovedData,
    Removed,
    "Removed",
    "Clips are gone: their messages were deleted or changed."
);
event_data!(
    StatusData,
    Status,
    "Status",
    "The scan has begun, is waiting, or has ended."
);
event_data!(
    LogData,
    Log,
    "Log",
    "Something worth knowing, such as a message that could not be read."
);

/// How far a scan is.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only its schema is used")]
struct ProgressData {
    /// Always `RUNNING`.
    status: ScanStatus,
    /// How much is done.
    progress: Amount,
    /// How many clips were found so far.
    clips_found: u64,
}

/// Clips that were found.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct ClipData {
    /// The clips of a page that were not known before.
    clips: Vec<Clip>,
}

/// Clips that are gone.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct RemovedData {
    /// The clips that are no longer listed.
    clips: Vec<RemovedClip>,
}

/// A clip that is gone.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only its schema is used")]
struct RemovedClip {
    /// The channel it was in.
    channel_id: String,
    /// The message it was in.
    message_id: String,
    /// The clip's id.
    id: String,
}

/// How a scan stands.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only its schema is used")]
struct StatusData {
    /// The status from now on.
    status: ScanStatus,
    /// When the scan continues, in unix milliseconds. Present if it waits for that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_at: Option<i64>,
    /// Why it waits, failed, was cancelled, or is tried again, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    /// The same, in a sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    /// How many messages were read. Present when the scan has succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages_scanned: Option<u64>,
    /// How many clips were found. Present when the scan has succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    clips_found: Option<u64>,
    /// Whether the scan reached the channel's beginning. Present when a scan or batch has
    /// succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    reached_start: Option<bool>,
    /// How many messages are gone or could not be read. Present when a job for single
    /// messages has succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_messages: Option<u64>,
}

/// Something worth knowing.
#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "only its schema is used")]
struct LogData {
    /// What happened.
    message: String,
    /// The messages it is about.
    message_ids: Vec<crate::discord::MessageId>,
    /// The channels it is about. Present in the events of a guild scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_ids: Option<Vec<String>>,
}
