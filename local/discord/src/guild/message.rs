//! Describes a message to be added; the description becomes a full message object.

use serde_json::{Map, Value, json};

use super::{
    attachment::{AttachmentSpec, amend},
    component::ComponentSpec,
};
use crate::{file::File, snowflake, timestamp};

/// Message flag: a copy of a message in an announcement channel.
pub const IS_CROSSPOST: u64 = 1 << 1;
/// Message flag: audio recorded in the client.
pub const IS_VOICE_MESSAGE: u64 = 1 << 13;
/// Message flag: a forward, carrying a snapshot.
pub const HAS_SNAPSHOT: u64 = 1 << 14;
/// Message flag: laid out by components, without content and embeds.
pub const IS_COMPONENTS_V2: u64 = 1 << 15;

/// Who wrote a message.
#[derive(Clone, Debug)]
pub struct Author {
    pub id: u64,
    pub username: String,
    pub bot: bool,
}

impl Default for Author {
    fn default() -> Self {
        Self::new(1_100_000_000_000_000_001, "mika")
    }
}

impl Author {
    pub fn new(id: u64, username: &str) -> Self {
        Self {
            id,
            username: username.to_owned(),
            bot: false,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut body = json!({
            "id": self.id.to_string(),
            "username": self.username,
            "global_name": null,
            "avatar": null,
            "discriminator": "0",
            "public_flags": 0,
            "flags": 0,
        });
        if self.bot {
            body["bot"] = json!(true);
        }
        body
    }
}

/// A message to be added to a channel. Without an ID or a time it is dated one minute
/// after the channel's newest message.
#[derive(Clone, Debug, Default)]
pub struct MessageSpec {
    pub(crate) id: Option<u64>,
    pub(crate) at_ms: Option<i64>,
    author: Author,
    content: String,
    kind: u64,
    flags: u64,
    attachments: Vec<AttachmentSpec>,
    embeds: Vec<Value>,
    components: Vec<ComponentSpec>,
    extra: Map<String, Value>,
    left_out: Vec<String>,
}

impl MessageSpec {
    /// Type 0 with some text.
    pub fn text(content: &str) -> Self {
        Self {
            content: content.to_owned(),
            ..Self::default()
        }
    }

    /// A message with one video, see [`AttachmentSpec::video`].
    pub fn video(filename: &str) -> Self {
        Self::default().attachment(AttachmentSpec::video(filename))
    }

    /// Sets the exact ID, which also determines the time.
    #[must_use]
    pub fn id(mut self, id: u64) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets the time, from which the ID is derived.
    #[must_use]
    pub fn at_ms(mut self, unix_ms: i64) -> Self {
        self.at_ms = Some(unix_ms);
        self
    }

    #[must_use]
    pub fn author(mut self, author: Author) -> Self {
        self.author = author;
        self
    }

    /// Sent by a webhook. The author's ID is the webhook's, and no such user exists.
    #[must_use]
    pub fn webhook(mut self, id: u64, name: &str) -> Self {
        self.author = Author {
            bot: true,
            ..Author::new(id, name)
        };
        self.set("webhook_id", json!(id.to_string()))
    }

    /// Discord's message type, 0 unless set.
    #[must_use]
    pub fn kind(mut self, kind: u64) -> Self {
        self.kind = kind;
        self
    }

    /// Adds flags such as [`IS_VOICE_MESSAGE`].
    #[must_use]
    pub fn flags(mut self, flags: u64) -> Self {
        self.flags |= flags;
        self
    }

    #[must_use]
    pub fn attachment(mut self, attachment: AttachmentSpec) -> Self {
        self.attachments.push(attachment);
        self
    }

    #[must_use]
    pub fn embed(mut self, embed: Value) -> Self {
        self.embeds.push(embed);
        self
    }

    /// Adds a component and marks the message IS_COMPONENTS_V2.
    #[must_use]
    pub fn component(mut self, component: ComponentSpec) -> Self {
        self.components.push(component);
        self.flags(IS_COMPONENTS_V2)
    }

    /// Sets any field of the message object, replacing its value.
    #[must_use]
    pub fn set(mut self, key: &str, value: Value) -> Self {
        self.extra.insert(key.to_owned(), value);
        self
    }

    /// Leaves a field of the message object out.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.left_out.push(key.to_owned());
        self
    }

    /// The message object, with its files uploaded through `upload`.
    pub(crate) fn to_json(
        &self,
        id: u64,
        channel_id: u64,
        upload: &mut dyn FnMut(&AttachmentSpec) -> File,
    ) -> Value {
        let attachments: Vec<Value> = self
            .attachments
            .iter()
            .map(|attachment| attachment.to_json(&upload(attachment)))
            .collect();
        let components: Vec<Value> = self
            .components
            .iter()
            .map(|component| component.to_json(upload))
            .collect();
        let body = json!({
            "id": id.to_string(),
            "channel_id": channel_id.to_string(),
            "type": self.kind,
            "author": self.author.to_json(),
            "content": self.content,
            "timestamp": timestamp::format(snowflake::ms_of(id)),
            "edited_timestamp": null,
            "flags": self.flags,
            "attachments": attachments,
            "embeds": self.embeds,
            "components": components,
            "mentions": [],
            "mention_roles": [],
            "mention_everyone": false,
            "pinned": false,
            "tts": false,
        });
        amend(body, &self.extra, &self.left_out)
    }
}
