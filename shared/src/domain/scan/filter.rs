//! Which clips to find, and in which order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ClipSource;

/// Selects clips. What is left out does not restrict them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClipFilter {
    /// Clips in any of these channels and threads. All channels if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channel_ids: Vec<String>,
    /// Clips in messages that this user wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_id: Option<String>,
    /// Clips with all of these words in the message, the title or the file's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Clips found in this part of a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ClipSource>,
    /// Links to players of this provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Clips of at least this length, in seconds, and those of unknown length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_seconds: Option<f64>,
    /// Clips of at most this length, in seconds, and those of unknown length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_seconds: Option<f64>,
    /// Leaves out clips of unknown length.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub known_length: bool,
    /// Clips posted after this time, in unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// Clips posted before this time, in unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// Whether the clips are spoilers, or are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spoiler: Option<bool>,
    /// Whether the clips were recorded with Discord's Clips, or were not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_clip: Option<bool>,
    /// The order.
    pub sort: ClipOrder,
}

/// The order of clips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClipOrder {
    /// The last posted first.
    #[default]
    Newest,
    /// The first posted first.
    Oldest,
    /// The longest first. Clips of unknown length are left out.
    Longest,
}
