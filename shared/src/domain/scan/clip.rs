//! A clip: a video in a message.

use serde::{Deserialize, Serialize};

/// Where in a message a clip was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClipSource {
    Attachment,
    /// A link to a video elsewhere.
    Embed,
    /// A video of a forwarded message.
    Forward,
}

/// A clip in a message, known by channel, message and attachment, never by its address:
/// that expires within a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Clip {
    /// The attachment's id, or of a link `e` and a hash. Clips that show the same video in
    /// several messages share it; with `messageId` it names one of them.
    pub id: String,
    pub guild_id: String,
    pub channel_id: String,
    pub message_id: String,
    /// None when a webhook or nobody wrote the message.
    pub author_id: Option<String>,
    /// Unix milliseconds.
    pub posted_at: i64,
    pub filename: Option<String>,
    pub content_type: Option<String>,
    pub size_bytes: Option<u64>,
    /// As declared by the uploader; none when unknown.
    pub duration_seconds: Option<f64>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub source: ClipSource,
    /// As it was when the message was read.
    pub url: Option<String>,
}
