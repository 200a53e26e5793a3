//! Channels and guilds, read leniently.

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
    /// Its id.
    pub id: MessageId,
    /// Its name.
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

    /// Its type.
    pub fn kind(&self) -> ChannelType {
        match self.kind {
            Some(15 | 16) => ChannelType::ThreadsOnly,
            Some(4) => ChannelType::Category,
            _ => ChannelType::Messages,
        }
    }
}
