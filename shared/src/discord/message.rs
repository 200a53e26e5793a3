//! Messages, read leniently: what is not needed is not looked at, what is odd is
//! left out, and only what would hide a clip makes a message unreadable.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::MessageId;

/// A message.
#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    pub id: MessageId,
    /// 0 a message, 19 a reply, others by the system or by commands.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub author: Option<Author>,
    /// Set when a webhook wrote the message; `author` is then no user.
    #[serde(default, deserialize_with = "lenient")]
    pub webhook_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub content: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub attachments: Vec<Attachment>,
    #[serde(default, deserialize_with = "list")]
    pub embeds: Vec<Embed>,
    #[serde(default, deserialize_with = "list")]
    pub components: Vec<Component>,
    /// The message this one forwards, at most one.
    #[serde(default, deserialize_with = "list")]
    pub message_snapshots: Vec<Snapshot>,
    #[serde(default, deserialize_with = "lenient")]
    pub sticker_items: Option<Vec<Value>>,
    #[serde(default, deserialize_with = "lenient")]
    pub poll: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Author {
    pub id: String,
}

/// A forwarded message, in a wrapper of its own.
#[derive(Clone, Debug, Deserialize)]
pub struct Snapshot {
    pub message: SnapshotMessage,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SnapshotMessage {
    #[serde(default, deserialize_with = "list")]
    pub attachments: Vec<Attachment>,
    #[serde(default, deserialize_with = "list")]
    pub embeds: Vec<Embed>,
    #[serde(default, deserialize_with = "list")]
    pub components: Vec<Component>,
}

/// An uploaded file.
#[derive(Clone, Debug, Deserialize)]
pub struct Attachment {
    pub id: MessageId,
    #[serde(default, deserialize_with = "lenient")]
    pub filename: Option<String>,
    /// The name it was uploaded with; `filename` is stripped of other letters.
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub content_type: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub size: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
    #[serde(default, deserialize_with = "dimension")]
    pub width: Option<u32>,
    #[serde(default, deserialize_with = "dimension")]
    pub height: Option<u32>,
    /// As the uploading client told it: absent on older messages, and not to be
    /// trusted.
    #[serde(default, deserialize_with = "lenient")]
    pub duration_secs: Option<f64>,
    #[serde(default, deserialize_with = "lenient")]
    pub flags: Option<u64>,
}

/// What Discord shows of a link.
#[derive(Clone, Debug, Deserialize)]
pub struct Embed {
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub video: Option<EmbedVideo>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct EmbedVideo {
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
    #[serde(default, deserialize_with = "dimension")]
    pub width: Option<u32>,
    #[serde(default, deserialize_with = "dimension")]
    pub height: Option<u32>,
}

/// A part of a message laid out by its author. Known parts hold others or media.
#[derive(Clone, Debug, Deserialize)]
pub struct Component {
    #[serde(default, deserialize_with = "list")]
    pub components: Vec<Component>,
    /// Of a media gallery.
    #[serde(default, deserialize_with = "list")]
    pub items: Vec<GalleryItem>,
    /// Of a file.
    #[serde(default, deserialize_with = "lenient")]
    pub file: Option<Media>,
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub size: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct GalleryItem {
    #[serde(default, deserialize_with = "lenient")]
    pub media: Option<Media>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Media {
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub content_type: Option<String>,
    #[serde(default, deserialize_with = "dimension")]
    pub width: Option<u32>,
    #[serde(default, deserialize_with = "dimension")]
    pub height: Option<u32>,
    /// Only of what was uploaded.
    #[serde(default, deserialize_with = "lenient")]
    pub attachment_id: Option<MessageId>,
}

/// A channel or thread.
#[derive(Clone, Debug, Deserialize)]
pub struct Channel {
    pub id: MessageId,
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    kind: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub guild_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Of a thread the channel it is under; of a channel its category.
    #[serde(default, deserialize_with = "lenient")]
    pub parent_id: Option<String>,
    /// The newest message, which may be deleted meanwhile.
    #[serde(default, deserialize_with = "lenient")]
    pub last_message_id: Option<MessageId>,
}

/// A guild.
#[derive(Clone, Debug, Deserialize)]
pub struct Guild {
    pub id: MessageId,
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// The hash its picture's address is made with.
    #[serde(default, deserialize_with = "lenient")]
    pub icon: Option<String>,
}

/// What kind of channel matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelType {
    /// Holds messages.
    Messages,
    /// Forum and media channels: hold threads only.
    ThreadsOnly,
    /// A category.
    Category,
}

impl Channel {
    /// The type as Discord numbers it, if it says one.
    pub fn type_number(&self) -> Option<u64> {
        self.kind
    }

    /// Whether it is a thread, public, private or under an announcement.
    pub fn is_thread(&self) -> bool {
        matches!(self.kind, Some(10..=12))
    }

    pub fn kind(&self) -> ChannelType {
        match self.kind {
            Some(15 | 16) => ChannelType::ThreadsOnly,
            Some(4) => ChannelType::Category,
            _ => ChannelType::Messages,
        }
    }
}

/// A message that could not be read, by its id where that could be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub id: Option<MessageId>,
}

impl Message {
    /// Reads one message of a page.
    ///
    /// # Errors
    /// [`Unreadable`], with the id if at least that can be read.
    pub(super) fn read(raw: &RawValue) -> Result<Message, Unreadable> {
        #[derive(Deserialize)]
        struct IdOnly {
            id: MessageId,
        }
        serde_json::from_str(raw.get()).map_err(|_| Unreadable {
            id: serde_json::from_str::<IdOnly>(raw.get())
                .ok()
                .map(|only| only.id),
        })
    }

    /// Whether it is a user's and nothing can be seen of it, as without the intent to
    /// read content.
    pub fn is_blank(&self) -> Option<bool> {
        matches!(self.kind, Some(0 | 19) | None).then(|| {
            self.content.as_deref().unwrap_or_default().is_empty()
                && self.attachments.is_empty()
                && self.embeds.is_empty()
                && self.components.is_empty()
                && self.message_snapshots.is_empty()
                && self.sticker_items.as_ref().is_none_or(Vec::is_empty)
                && self.poll.is_none()
        })
    }
}

/// A value of another type than expected is as good as absent.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

/// Null is an empty list; anything else that is no list may hide a clip.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

/// Pixels: whole, written with a decimal point by some, and within reason.
fn dimension<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let number: Option<f64> = lenient(deserializer)?;
    Ok(number
        .filter(|pixels| (1.0..=16_384.0).contains(pixels))
        .map(|pixels| pixels as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Message, Unreadable> {
        Message::read(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn odd_fields_do_not_lose_a_message() {
        let message = read(
            r#"{"id": "1191168914227200000", "type": 999, "author": {"id": 5}, "flags": "x",
                "components": null, "embeds": [{"type": 3}], "public_flags": "0",
                "attachments": [{"id": "5", "width": 1920.0, "height": null, "size": "big"}]}"#,
        )
        .unwrap();
        assert_eq!(message.attachments[0].width, Some(1920));
        assert_eq!(message.attachments[0].height, None);
        assert!(message.author.is_none());
    }

    #[test]
    fn a_message_that_may_hide_a_clip_is_unreadable_under_its_id() {
        let unreadable =
            read(r#"{"id": "1191168914227200000", "attachments": "none"}"#).unwrap_err();
        assert_eq!(unreadable.id, Some(MessageId(1_191_168_914_227_200_000)));
        assert_eq!(read(r#"{"attachments": []}"#).unwrap_err().id, None);
    }
}
