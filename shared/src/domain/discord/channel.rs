//! Channels and guilds, parsed leniently.

use serde::Deserialize;

use super::lenient::lenient;
use super::{MessageId, Overwrite, Role};

/// A channel or thread.
#[derive(Clone, Debug, Deserialize)]
pub struct Channel {
    /// Its id.
    pub id: MessageId,
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    kind: Option<u64>,
    /// The guild it is in.
    #[serde(default, deserialize_with = "lenient")]
    pub guild_id: Option<String>,
    /// Its name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// For a thread, its parent channel; for a channel, its category.
    #[serde(default, deserialize_with = "lenient")]
    pub parent_id: Option<String>,
    /// The newest message, which may have been deleted since.
    #[serde(default, deserialize_with = "lenient")]
    pub last_message_id: Option<MessageId>,
    /// Where it stands among the channels of its category.
    #[serde(default, deserialize_with = "lenient")]
    pub position: Option<i64>,
    /// What it grants and takes away. A thread has its parent's.
    #[serde(default, deserialize_with = "lenient")]
    pub permission_overwrites: Option<Vec<Overwrite>>,
    #[serde(default, deserialize_with = "lenient")]
    thread_metadata: Option<ThreadMetadata>,
}

#[derive(Clone, Debug, Deserialize)]
struct ThreadMetadata {
    #[serde(default, deserialize_with = "lenient")]
    archived: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    archive_timestamp: Option<String>,
}

/// A guild.
#[derive(Clone, Debug, Deserialize)]
pub struct Guild {
    /// Its id.
    pub id: MessageId,
    /// Its name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// The hash in the URL of its icon.
    #[serde(default, deserialize_with = "lenient")]
    pub icon: Option<String>,
    /// The user who owns it. Absent in a list of guilds.
    #[serde(default, deserialize_with = "lenient")]
    pub owner_id: Option<MessageId>,
    /// Its roles. Absent in a list of guilds.
    #[serde(default, deserialize_with = "lenient")]
    pub roles: Option<Vec<Role>>,
}

/// The channel types that scanning distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelType {
    /// Contains messages.
    Messages,
    /// Forum and media channels, which contain only threads.
    ThreadsOnly,
    /// A category.
    Category,
}

impl Channel {
    /// The type number that Discord uses, if the channel has one.
    pub fn type_number(&self) -> Option<u64> {
        self.kind
    }

    /// Whether it is a public, private or announcement thread.
    pub fn is_thread(&self) -> bool {
        matches!(self.kind, Some(10..=12))
    }

    /// Whether it is a thread that only its members and moderators see.
    pub fn is_private_thread(&self) -> bool {
        self.kind == Some(12)
    }

    /// Whether it is a voice or stage channel, which also has messages.
    pub fn is_voice(&self) -> bool {
        matches!(self.kind, Some(2 | 13))
    }

    /// Whether it is an archived thread.
    pub fn is_archived(&self) -> bool {
        let metadata = self.thread_metadata.as_ref();
        metadata.and_then(|metadata| metadata.archived) == Some(true)
    }

    /// When a thread was archived, or its archiving last changed, as Discord wrote it.
    pub fn archived_at(&self) -> Option<&str> {
        self.thread_metadata.as_ref()?.archive_timestamp.as_deref()
    }

    /// Its type.
    pub fn kind(&self) -> ChannelType {
        match self.kind {
            Some(15 | 16) => ChannelType::ThreadsOnly,
            Some(4) => ChannelType::Category,
            _ => ChannelType::Messages,
        }
    }
}
