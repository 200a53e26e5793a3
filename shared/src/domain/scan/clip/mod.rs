//! A clip: a video that a message attaches, lays out, forwards or links to.
//!
//! | file | contents |
//! |---|---|
//! | `mod` | the clip as it is shown |
//! | `find` | finds the clips of a message |
//! | `link` | which links lead to the same video |
//! | `terms` | what a clip can be found by |
//! | `record` | the clip as it is stored |

mod find;
mod link;
mod record;
mod terms;

use serde::{Deserialize, Serialize};

pub use find::{Filter, Place, find_clips};
pub use record::{ClipRecord, Probe, complete_clips};
pub use terms::{Term, words};

/// Where in a message a clip was found.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ClipSource {
    /// A video attached to the message.
    #[default]
    Attachment,
    /// A video that the message links to.
    Embed,
    /// A video in the layout of the message.
    Component,
    /// A video in a message that this one forwards.
    Forward,
}

impl ClipSource {
    /// As it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            ClipSource::Attachment => "attachment",
            ClipSource::Embed => "embed",
            ClipSource::Component => "component",
            ClipSource::Forward => "forward",
        }
    }
}

/// Whether somebody has looked into the file of a clip.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ProbeState {
    /// Nobody has looked yet.
    #[default]
    Pending,
    /// The file was read. Even so, it may not say how long it is.
    Ok,
    /// The file could not be read; `probeError` says why.
    Failed,
}

/// The message that a forward repeats.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// Its guild.
    pub guild_id: Option<String>,
    /// Its channel.
    pub channel_id: Option<String>,
    /// Its id.
    pub message_id: Option<String>,
}

/// A video clip in a message. Its channel, message and id identify it; its address does not,
/// since Discord signs addresses for a day at most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(!default)]
pub struct Clip {
    /// The id of the attachment, or for a link `e` followed by a hash. Clips that show the
    /// same video in several messages have the same id; together with `messageId` it names
    /// one of them.
    pub id: String,
    /// The id of the guild.
    pub guild_id: String,
    /// The id of the channel or thread.
    pub channel_id: String,
    /// The id of the channel that the thread is in. `null` if the clip is not in a thread.
    pub parent_channel_id: Option<String>,
    /// The id of the message.
    pub message_id: String,
    /// The address of the message in Discord.
    pub jump_url: String,
    /// The id of the user who wrote the message. `null` if a webhook wrote it.
    pub author_id: Option<String>,
    /// The name of the author when the message was read.
    pub author_name: Option<String>,
    /// When the message was posted, in unix milliseconds.
    pub posted_at: i64,
    /// The first 200 characters of the message. `null` if it has none, or if the guild's
    /// setting `storeText` is off.
    pub text: Option<String>,
    /// The name of the file.
    pub filename: Option<String>,
    /// The title of the file or of the link.
    pub title: Option<String>,
    /// The media type, such as `video/mp4`.
    pub content_type: Option<String>,
    /// The size of the file in bytes.
    pub size_bytes: Option<u64>,
    /// The length in seconds, as far as it is known: `durationProbed`, or else
    /// `durationDeclared`.
    pub duration_seconds: Option<f64>,
    /// The length in seconds, as the program that uploaded the file declared it.
    pub duration_declared: Option<f64>,
    /// The length in seconds, as the file says.
    pub duration_probed: Option<f64>,
    /// The width in pixels, after rotation.
    pub width: Option<u32>,
    /// The height in pixels, after rotation.
    pub height: Option<u32>,
    /// By how many degrees a player turns the picture, clockwise. `width` and `height`
    /// already take it into account.
    pub rotation: Option<u16>,
    /// The codec of the picture, such as `h264`.
    pub codec: Option<String>,
    /// Whether the clip is hidden until it is clicked.
    pub spoiler: bool,
    /// Whether it was recorded with Discord's own Clips.
    pub is_clip: bool,
    /// When such a clip was recorded, in unix milliseconds.
    pub clip_created_at: Option<i64>,
    /// The ids of the users who take part in such a clip.
    pub clip_participants: Vec<String>,
    /// Where in the message the clip was found.
    pub source: ClipSource,
    /// The site that a link leads to, such as `YouTube`.
    pub provider: Option<String>,
    /// What a forward repeats. `null` for any other source.
    pub forwarded_from: Option<Origin>,
    /// A tiny preview of the picture (thumbhash, base64).
    pub thumbhash: Option<String>,
    /// How many reactions the message had when it was read.
    pub reactions: Option<u64>,
    /// Whether somebody has looked into the file.
    pub probe: ProbeState,
    /// Why the file could not be read, for programs. `external` means that the clip is on
    /// another site, whose files Trawl does not read.
    pub probe_error: Option<String>,
    /// The address when the message was read. Discord's own addresses expire within a day.
    pub url: Option<String>,
}

impl Clip {
    /// The best known length in seconds.
    pub fn length(&self) -> Option<f64> {
        self.duration_probed.or(self.duration_declared)
    }

    /// Whether its file can be read, because it is on Discord's own servers.
    pub fn is_uploaded(&self) -> bool {
        !self.id.starts_with('e')
    }
}

/// Maximum number of clips that one script call saves, which limits its running time. A
/// page with more clips is saved in parts.
pub const CLIPS_AT_ONCE: usize = 500;
