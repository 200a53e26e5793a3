//! What a message shows: files, previews of links, and layouts.

use serde::Deserialize;

use super::lenient::{dimension, lenient};
use super::{MessageId, Parts};

/// An uploaded file.
#[derive(Clone, Debug, Deserialize)]
pub struct Attachment {
    /// Its id.
    pub id: MessageId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient")]
    pub filename: Option<String>,
    /// The original file name; `filename` has some characters removed.
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
    /// The MIME type that Discord reports.
    #[serde(default, deserialize_with = "lenient")]
    pub content_type: Option<String>,
    /// The size in bytes.
    #[serde(default, deserialize_with = "lenient")]
    pub size: Option<u64>,
    /// The URL, which is valid for about a day.
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
    /// Pixels.
    #[serde(default, deserialize_with = "dimension")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(default, deserialize_with = "dimension")]
    pub height: Option<u32>,
    /// The duration declared by the uploading client. Older messages do not have it, and
    /// it cannot be trusted.
    #[serde(default, deserialize_with = "lenient")]
    pub duration_secs: Option<f64>,
    /// Flags, such as the one for clips recorded with Discord.
    #[serde(default, deserialize_with = "lenient")]
    pub flags: Option<u64>,
    /// A tiny preview of the picture (thumbhash, base64).
    #[serde(default, deserialize_with = "lenient")]
    pub placeholder: Option<String>,
    /// When a clip was recorded with Discord, in ISO 8601.
    #[serde(default, deserialize_with = "lenient")]
    pub clip_created_at: Option<String>,
    /// Who takes part in such a clip.
    #[serde(default)]
    pub clip_participants: Parts<Participant>,
}

/// A user in a clip.
#[derive(Clone, Debug, Deserialize)]
pub struct Participant {
    /// The ID of the user.
    pub id: String,
}

/// A link preview or a bot's embed.
#[derive(Clone, Debug, Deserialize)]
pub struct Embed {
    /// `video`, `gifv`, `rich` and others.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<String>,
    /// The URL of the page it shows.
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
    /// The title of the page it shows.
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
    /// The video it plays, if any.
    #[serde(default, deserialize_with = "lenient")]
    pub video: Option<EmbedVideo>,
    /// The site that the video is on.
    #[serde(default, deserialize_with = "lenient")]
    pub provider: Option<Provider>,
}

/// The site of an embed.
#[derive(Clone, Debug, Deserialize)]
pub struct Provider {
    /// Its name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
}

/// The video of an embed.
#[derive(Clone, Debug, Deserialize)]
pub struct EmbedVideo {
    /// The URL.
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
    /// Pixels.
    #[serde(default, deserialize_with = "dimension")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(default, deserialize_with = "dimension")]
    pub height: Option<u32>,
}

/// A layout component. Known types contain other components or media.
#[derive(Clone, Debug, Deserialize)]
pub struct Component {
    /// Nested components.
    #[serde(default)]
    pub components: Parts<Component>,
    /// The items of a media gallery.
    #[serde(default)]
    pub items: Parts<GalleryItem>,
    /// The file of a file component.
    #[serde(default, deserialize_with = "lenient")]
    pub file: Option<Media>,
    /// The file name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// The size in bytes.
    #[serde(default, deserialize_with = "lenient")]
    pub size: Option<u64>,
    /// Whether the file is hidden until it is clicked.
    #[serde(default, deserialize_with = "lenient")]
    pub spoiler: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct GalleryItem {
    /// Whether the media is hidden until it is clicked.
    #[serde(default, deserialize_with = "lenient")]
    pub spoiler: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub media: Option<Media>,
}

/// A media item of a component.
#[derive(Clone, Debug, Deserialize)]
pub struct Media {
    /// The URL.
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
    /// Its MIME type.
    #[serde(default, deserialize_with = "lenient")]
    pub content_type: Option<String>,
    /// Pixels.
    #[serde(default, deserialize_with = "dimension")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(default, deserialize_with = "dimension")]
    pub height: Option<u32>,
    /// Set only for uploaded files.
    #[serde(default, deserialize_with = "lenient")]
    pub attachment_id: Option<MessageId>,
    /// A tiny preview of the picture (thumbhash, base64).
    #[serde(default, deserialize_with = "lenient")]
    pub placeholder: Option<String>,
}

impl Component {
    /// Whether a part that may hide a clip could not be parsed.
    pub(super) fn lacks_parts(&self) -> bool {
        self.components.lacks()
            || self.items.lacks()
            || self.components.iter().any(Component::lacks_parts)
    }
}
