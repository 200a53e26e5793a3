//! Channels and guilds, parsed leniently.

use serde::Deserialize;

use super::MessageId;
use super::lenient::lenient;

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

    /// Its type.
    pub fn kind(&self) -> ChannelType {
        match self.kind {
            Some(15 | 16) => ChannelType::ThreadsOnly,
            Some(4) => ChannelType::Category,
            _ => ChannelType::Messages,
        }
    }
}
