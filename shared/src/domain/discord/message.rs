//! Messages, parsed leniently.
//!
//! Fields that scanning does not need are ignored, and fields of an unexpected type are
//! treated as missing. Each list in a message is parsed entry by entry. An entry that
//! cannot be parsed is noted, because it may hide a clip, and the rest of the message is
//! kept.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::lenient::lenient;
use super::media::{Attachment, Component, Embed};
use super::{MessageId, Parts};

/// A message.
#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    /// The ID, which contains the time of posting.
    pub id: MessageId,
    /// 0 for a message, 19 for a reply; others are sent by the system or by commands.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: Option<u64>,
    /// Who wrote it.
    #[serde(default, deserialize_with = "lenient")]
    pub author: Option<Author>,
    /// Set if a webhook posted the message; `author` is then not a user.
    #[serde(default, deserialize_with = "lenient")]
    pub webhook_id: Option<String>,
    /// Its text.
    #[serde(default, deserialize_with = "lenient")]
    pub content: Option<String>,
    /// Uploaded files.
    #[serde(default)]
    pub attachments: Parts<Attachment>,
    /// Link previews and embeds sent by bots.
    #[serde(default)]
    pub embeds: Parts<Embed>,
    /// Layout components, which may contain media.
    #[serde(default)]
    pub components: Parts<Component>,
    /// The forwarded message, if this is a forward. There is at most one.
    #[serde(default)]
    pub message_snapshots: Parts<Snapshot>,
    /// The message that this one answers or forwards.
    #[serde(default, deserialize_with = "lenient")]
    pub message_reference: Option<Reference>,
    /// The reactions, where the reply has them.
    #[serde(default, deserialize_with = "lenient")]
    pub reactions: Option<Vec<Reaction>>,
    /// The stickers; only their presence matters.
    #[serde(default, deserialize_with = "lenient")]
    pub sticker_items: Option<Vec<Value>>,
    /// The poll; only its presence matters.
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
    /// The ID of the user or of the webhook.
    pub id: String,
    /// The name that the user chose to be shown.
    #[serde(default, deserialize_with = "lenient")]
    pub global_name: Option<String>,
    /// The unique name.
    #[serde(default, deserialize_with = "lenient")]
    pub username: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    bot: Option<bool>,
}

/// The message that another one answers or forwards.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Reference {
    /// Its guild.
    #[serde(default, deserialize_with = "lenient")]
    pub guild_id: Option<String>,
    /// Its channel.
    #[serde(default, deserialize_with = "lenient")]
    pub channel_id: Option<String>,
    /// Its ID.
    #[serde(default, deserialize_with = "lenient")]
    pub message_id: Option<String>,
}

/// A reaction and how many people gave it.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Reaction {
    /// How many.
    #[serde(default)]
    pub count: u64,
}

/// The wrapper around a forwarded message.
#[derive(Clone, Debug, Deserialize)]
pub struct Snapshot {
    /// The forwarded message.
    pub message: SnapshotMessage,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SnapshotMessage {
    /// Its text.
    #[serde(default, deserialize_with = "lenient")]
    pub content: Option<String>,
    #[serde(default)]
    pub attachments: Parts<Attachment>,
    #[serde(default)]
    pub embeds: Parts<Embed>,
    #[serde(default)]
    pub components: Parts<Component>,
}

/// A message that could not be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The ID, if at least that could be parsed.
    pub id: Option<MessageId>,
}

impl Message {
    /// Parses one message of a page.
    ///
    /// # Errors
    /// [`Unreadable`], with the ID if at least that can be parsed.
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

    /// Whether a part that may hide a clip could not be parsed.
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

    /// Whether the message proves that the bot may read content. Without that right, a
    /// user's message appears empty unless it mentions the bot or is the bot's own.
    pub fn content(&self) -> Content {
        // Other types, such as join notices, have no content.
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
        // The bot's own ID is not known here. A message of any bot, a message that
        // mentions anyone, and a reply, which may be to the bot, therefore prove nothing.
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

/// What a message says about the right to read content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Something is visible that requires the right.
    Shown,
    /// Nothing is visible: either the right is missing or the message is empty.
    Hidden,
    /// The message type is unknown, so nothing follows.
    Unknown,
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
