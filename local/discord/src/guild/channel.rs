//! A channel or thread: its type, the bot's permissions and its messages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ids::OWNER_ID;
use super::permissions::{Overwrite, READ_MESSAGE_HISTORY, VIEW_CHANNEL};
use crate::{snowflake, timestamp};

/// What the bot is allowed to do in a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// See it and read its history.
    #[default]
    Full,
    /// See it, but without READ_MESSAGE_HISTORY: listings answer `200 []`.
    NoHistory,
    /// Not visible at all: every request returns 403 with code 50001.
    Hidden,
}

/// Fields that a thread has in addition to those of a channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Thread {
    /// When it was archived; `None` while it is active.
    pub archived_at_ms: Option<i64>,
    /// Whether the bot was added to it. Matters for private threads only.
    pub joined: bool,
}

/// A channel to be added to a guild.
#[derive(Clone, Debug)]
pub struct ChannelSpec {
    pub(crate) id: u64,
    pub(crate) kind: u64,
    pub(crate) name: String,
    pub(crate) access: Access,
    pub(crate) parent_id: Option<u64>,
    pub(crate) thread: Option<Thread>,
    pub(crate) overwrites: Vec<Overwrite>,
}

impl ChannelSpec {
    /// Type 0, an ordinary text channel.
    pub fn text(id: u64, name: &str) -> Self {
        Self::of_kind(0, id, name)
    }

    /// Type 2, a voice channel, which also has a text chat.
    pub fn voice(id: u64, name: &str) -> Self {
        Self::of_kind(2, id, name)
    }

    /// Type 5, an announcement channel.
    pub fn announcement(id: u64, name: &str) -> Self {
        Self::of_kind(5, id, name)
    }

    /// Type 15, a forum: it holds threads and no messages of its own.
    pub fn forum(id: u64, name: &str) -> Self {
        Self::of_kind(15, id, name)
    }

    /// Type 16, a media channel: a forum whose threads show their files.
    pub fn media(id: u64, name: &str) -> Self {
        Self::of_kind(16, id, name)
    }

    /// Type 4, a category: channels are grouped in it.
    pub fn category(id: u64, name: &str) -> Self {
        Self::of_kind(4, id, name)
    }

    /// Type 11, a public thread under a channel or forum.
    pub fn thread(id: u64, parent_id: u64, name: &str) -> Self {
        Self {
            parent_id: Some(parent_id),
            thread: Some(Thread::default()),
            ..Self::of_kind(11, id, name)
        }
    }

    /// Type 12, a private thread the bot was not added to.
    pub fn private_thread(id: u64, parent_id: u64, name: &str) -> Self {
        Self {
            kind: 12,
            ..Self::thread(id, parent_id, name)
        }
    }

    /// Any type by its number.
    pub fn of_kind(kind: u64, id: u64, name: &str) -> Self {
        Self {
            id,
            kind,
            name: name.to_owned(),
            access: Access::Full,
            parent_id: None,
            thread: None,
            overwrites: Vec::new(),
        }
    }

    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Puts a channel into a category.
    #[must_use]
    pub fn under(mut self, category_id: u64) -> Self {
        self.parent_id = Some(category_id);
        self
    }

    /// Grants and takes away permissions, in addition to [`ChannelSpec::access`].
    #[must_use]
    pub fn overwrite(mut self, overwrite: Overwrite) -> Self {
        self.overwrites.push(overwrite);
        self
    }

    /// Archives a thread. Has no effect on a channel.
    #[must_use]
    pub fn archived_at_ms(mut self, unix_ms: i64) -> Self {
        if let Some(thread) = &mut self.thread {
            thread.archived_at_ms = Some(unix_ms);
        }
        self
    }

    /// Adds the bot to a thread. Has no effect on a channel.
    #[must_use]
    pub fn joined(mut self) -> Self {
        if let Some(thread) = &mut self.thread {
            thread.joined = true;
        }
        self
    }
}

/// A channel of a guild with its messages.
#[derive(Clone, Debug)]
pub struct Channel {
    pub id: u64,
    /// Discord's channel type.
    pub kind: u64,
    pub name: String,
    pub access: Access,
    pub parent_id: Option<u64>,
    pub thread: Option<Thread>,
    pub(crate) overwrites: Vec<Overwrite>,
    /// Does not change when the message it refers to is deleted, as on Discord.
    pub last_message_id: Option<u64>,
    pub(crate) total_message_sent: u64,
    pub(crate) messages: BTreeMap<u64, Value>,
}

impl Channel {
    pub(crate) fn new(spec: ChannelSpec) -> Self {
        Self {
            id: spec.id,
            kind: spec.kind,
            name: spec.name,
            access: spec.access,
            parent_id: spec.parent_id,
            thread: spec.thread,
            overwrites: spec.overwrites,
            last_message_id: None,
            total_message_sent: 0,
            messages: BTreeMap::new(),
        }
    }

    /// Whether it holds only threads: forums and media channels.
    pub fn is_thread_only(&self) -> bool {
        matches!(self.kind, 15 | 16)
    }

    /// All overwrites, including the one that [`Access`] stands for.
    pub(crate) fn all_overwrites(&self) -> Vec<Overwrite> {
        let denied = match self.access {
            Access::Full => None,
            Access::NoHistory => Some(READ_MESSAGE_HISTORY),
            Access::Hidden => Some(VIEW_CHANNEL),
        };
        let short = denied.map(|denied| Overwrite::bot(0, denied));
        self.overwrites.iter().copied().chain(short).collect()
    }

    /// The channel object that the API returns.
    pub(crate) fn to_json(&self, guild_id: u64, position: usize) -> Value {
        let id_text = |id: u64| id.to_string();
        let mut body = json!({
            "id": id_text(self.id),
            "type": self.kind,
            "guild_id": id_text(guild_id),
            "name": self.name,
            "parent_id": self.parent_id.map(id_text),
            "last_message_id": self.last_message_id.map(id_text),
            "rate_limit_per_user": 0,
            "flags": 0,
        });
        let more = match self.thread {
            Some(thread) => self.thread_fields(thread),
            None => json!({
                "position": position,
                "permission_overwrites": self.all_overwrites().into_iter().map(Overwrite::to_json).collect::<Vec<_>>(),
                "nsfw": false,
                "topic": null,
            }),
        };
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        body
    }

    fn thread_fields(&self, thread: Thread) -> Value {
        let created = timestamp::format(snowflake::ms_of(self.id));
        json!({
            "owner_id": OWNER_ID.to_string(),
            "message_count": self.messages.len(),
            "total_message_sent": self.total_message_sent,
            "member_count": 3,
            "thread_metadata": {
                "archived": thread.archived_at_ms.is_some(),
                "auto_archive_duration": 4320,
                "archive_timestamp": thread.archived_at_ms.map_or(created.clone(), timestamp::format),
                "locked": false,
                "create_timestamp": created,
            },
        })
    }
}
