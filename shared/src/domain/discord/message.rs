//! Messages, read leniently: what is not needed is not looked at, what is odd is
//! left out, and each list of a message is read by itself, entry by entry: what of it
//! cannot be read, and may hide a clip, is noted, and the rest is there.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::lenient::{dimension, lenient};
use super::{MessageId, Parts};

/// A message.
#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    /// Its id, which also says when it was posted.
    pub id: MessageId,
    /// 0 a message, 19 a reply, others by the system or by commands.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<u64>,
    /// Who wrote it.
    #[serde(default, deserialize_with = "lenient")]
    pub author: Option<Author>,
    /// Set when a webhook wrote the message; `author` is then no user.
    #[serde(default, deserialize_with = "lenient")]
    pub webhook_id: Option<String>,
    /// Its text.
    #[serde(default, deserialize_with = "lenient")]
    pub content: Option<String>,
    /// Uploaded files.
    #[serde(default)]
    pub attachments: Parts<Attachment>,
    /// Previews of links, and what bots embed.
    #[serde(default)]
    pub embeds: Parts<Embed>,
    /// Layout components, which may hold media.
    #[serde(default)]
    pub components: Parts<Component>,
    /// The message this one forwards, at most one.
    #[serde(default)]
    pub message_snapshots: Parts<Snapshot>,
    /// Its stickers; only whether there are any is of interest.
    #[serde(default, deserialize_with = "lenient")]
    pub sticker_items: Option<Vec<Value>>,
    /// Its poll; likewise.
    #[serde(default, deserialize_with = "lenient")]
    pub poll: Option<Value>,
    #[serde(default, deserialize_with = "lenient")]
    mentions: Option<Vec<Value>>,
    #[serde(default, deserialize_with = "lenient")]
    mention_roles: Option<Vec<Value>>,
    #[serde(default, deserialize_with = "lenient")]
    mention_everyone: Option<bool>,
}

/// Who wrote a message.
#[derive(Clone, Debug, Deserialize)]
pub struct Author {
    /// The user's id; of a webhook, the webhook's.
    pub id: String,
    #[serde(default, deserialize_with = "lenient")]
    bot: Option<bool>,
}

/// A forwarded message, in a wrapper of its own.
#[derive(Clone, Debug, Deserialize)]
pub struct Snapshot {
    /// What was forwarded.
    pub message: SnapshotMessage,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SnapshotMessage {
    #[serde(default)]
    pub attachments: Parts<Attachment>,
    #[serde(default)]
    pub embeds: Parts<Embed>,
    #[serde(default)]
    pub components: Parts<Component>,
}

/// An uploaded file.
#[derive(Clone, Debug, Deserialize)]
pub struct Attachment {
    /// Its id.
    pub id: MessageId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient")]
    pub filename: Option<String>,
    /// The name it was uploaded with; `filename` is stripped of other letters.
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
    /// Its MIME type, as Discord declares it.
    #[serde(default, deserialize_with = "lenient")]
    pub content_type: Option<String>,
    /// Bytes.
    #[serde(default, deserialize_with = "lenient")]
    pub size: Option<u64>,
    /// Where it is, for about a day.
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
    /// Pixels.
    #[serde(default, deserialize_with = "dimension")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(default, deserialize_with = "dimension")]
    pub height: Option<u32>,
    /// As the uploading client declared it: missing on older messages, and not to be
    /// trusted.
    #[serde(default, deserialize_with = "lenient")]
    pub duration_secs: Option<f64>,
    /// Bits, such as that of Discord's own clips.
    #[serde(default, deserialize_with = "lenient")]
    pub flags: Option<u64>,
}

/// What Discord shows of a link.
#[derive(Clone, Debug, Deserialize)]
pub struct Embed {
    /// `video`, `gifv`, `rich` and others.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<String>,
    /// What it shows.
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
    /// The title of the page it shows.
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
    /// The video it plays, if any.
    #[serde(default, deserialize_with = "lenient")]
    pub video: Option<EmbedVideo>,
}

/// The video of an embed.
#[derive(Clone, Debug, Deserialize)]
pub struct EmbedVideo {
    /// Where it is.
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
    /// Pixels.
    #[serde(default, deserialize_with = "dimension")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(default, deserialize_with = "dimension")]
    pub height: Option<u32>,
}

/// A part of a message laid out by its author. Known parts hold others or media.
#[derive(Clone, Debug, Deserialize)]
pub struct Component {
    /// The components inside it.
    #[serde(default)]
    pub components: Parts<Component>,
    /// Of a media gallery.
    #[serde(default)]
    pub items: Parts<GalleryItem>,
    /// Of a file.
    #[serde(default, deserialize_with = "lenient")]
    pub file: Option<Media>,
    /// The file's name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Bytes.
    #[serde(default, deserialize_with = "lenient")]
    pub size: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct GalleryItem {
    #[serde(default, deserialize_with = "lenient")]
    pub media: Option<Media>,
}

/// A media item of a component.
#[derive(Clone, Debug, Deserialize)]
pub struct Media {
    /// Where it is.
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
    /// Only of what was uploaded.
    #[serde(default, deserialize_with = "lenient")]
    pub attachment_id: Option<MessageId>,
}

/// A message that could not be read, by its id where that could be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its id, if that could be read.
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

    /// Whether a part of it that may hide a clip could not be read.
    pub fn lacks_parts(&self) -> bool {
        let inside = |components: &Parts<Component>| components.iter().any(Component::lacks_parts);
        let snapshot = |snapshot: &Snapshot| {
            let message = &snapshot.message;
            message.attachments.lacks()
                || message.embeds.lacks()
                || message.components.lacks()
                || inside(&message.components)
        };
        self.attachments.lacks()
            || self.embeds.lacks()
            || self.components.lacks()
            || self.message_snapshots.lacks()
            || inside(&self.components)
            || self.message_snapshots.iter().any(snapshot)
    }

    /// Whether it shows that the bot may read content. Without that right a message of a
    /// user shows nothing, unless it is the bot's own or mentions it.
    pub fn content(&self) -> Content {
        // Others, such as that somebody joined, have none.
        if !matches!(self.kind, Some(0 | 19 | 20 | 23) | None) {
            return Content::Unknown;
        }
        let is_blank = self.content.as_deref().unwrap_or_default().is_empty()
            && self.attachments.is_empty()
            && self.embeds.is_empty()
            && self.components.is_empty()
            && self.message_snapshots.is_empty()
            && self.sticker_items.as_ref().is_none_or(Vec::is_empty)
            && self.poll.is_none();
        if is_blank && !self.lacks_parts() {
            return Content::Hidden;
        }
        // Which bot this is, nobody has been asked: a message of any bot, one that
        // mentions anybody, and an answer, which may be to the bot, prove nothing.
        let by_bot = self
            .author
            .as_ref()
            .is_none_or(|author| author.bot == Some(true));
        let mentions = |list: &Option<Vec<Value>>| list.as_ref().is_some_and(|l| !l.is_empty());
        let may_be_shown_anyway = by_bot
            || self.webhook_id.is_some()
            || !matches!(self.kind, Some(0) | None)
            || self.mention_everyone == Some(true)
            || mentions(&self.mentions)
            || mentions(&self.mention_roles);
        match may_be_shown_anyway {
            true => Content::Unknown,
            false => Content::Shown,
        }
    }
}

/// What a message shows of the right to read content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Without the right nothing would be seen of it.
    Shown,
    /// Nothing is seen of it: for want of the right, or because there is nothing.
    Hidden,
    /// A type that is not known here.
    Unknown,
}

impl Component {
    fn lacks_parts(&self) -> bool {
        self.components.lacks()
            || self.items.lacks()
            || self.components.iter().any(Component::lacks_parts)
    }
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
    fn each_list_is_read_by_itself_and_what_may_hide_a_clip_is_noted() {
        for broken in [
            r#""embeds": {}"#,
            r#""embeds": [5]"#,
            r#""components": "none""#,
            r#""components": [{"components": [{"items": {}}]}]"#,
            r#""message_snapshots": [{}]"#,
        ] {
            let text = format!(
                r#"{{"id": "1191168914227200000", "attachments": [{{"id": "5"}}], {broken}}}"#
            );
            let message = read(&text).unwrap();
            assert_eq!(message.attachments.len(), 1, "{broken}");
            assert!(message.lacks_parts(), "{broken}");
        }
        let whole = read(r#"{"id": "5", "embeds": null, "components": [{"x": 1}]}"#).unwrap();
        assert!(!whole.lacks_parts());
        let odd = read(r#"{"id": "5", "attachments": [{"id": "7"}, {"id": {}}]}"#).unwrap();
        assert_eq!((odd.attachments.len(), odd.lacks_parts()), (1, true));
        assert_eq!(read(r#"{"attachments": []}"#).unwrap_err().id, None);
    }

    #[test]
    fn only_what_would_be_hidden_otherwise_shows_that_content_may_be_read() {
        let of = |more: &str| {
            let text = format!(r#"{{"id": "5", "type": 0, "author": {{"id": "7"}}{more}}}"#);
            read(&text).unwrap().content()
        };
        assert_eq!(of(r#", "content": "hello""#), Content::Shown);
        assert_eq!(of(""), Content::Hidden);
        for anyway in [
            r#", "content": "hello", "mentions": [{"id": "9"}]"#,
            r#", "content": "hello", "mention_roles": ["9"]"#,
            r#", "content": "hello", "webhook_id": "9""#,
        ] {
            assert_eq!(of(anyway), Content::Unknown, "{anyway}");
        }
        let own = r#"{"id": "5", "content": "x", "author": {"id": "7", "bot": true}}"#;
        assert_eq!(read(own).unwrap().content(), Content::Unknown);
    }
}
