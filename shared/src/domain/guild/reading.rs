//! Why the bot may not read a channel. The codes are those with which a scan of the
//! channel would fail.

use serde::{Deserialize, Serialize};

use crate::discord::{Channel, Permissions};

/// Why the bot may not read a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreadable {
    /// It lacks VIEW_CHANNEL.
    ChannelForbidden,
    /// It lacks CONNECT in a voice channel.
    ConnectForbidden,
    /// It lacks READ_MESSAGE_HISTORY.
    HistoryForbidden,
    /// It was not added to a private thread.
    ThreadPrivate,
}

impl Unreadable {
    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Unreadable::ChannelForbidden => "channel_forbidden",
            Unreadable::ConnectForbidden => "connect_forbidden",
            Unreadable::HistoryForbidden => "history_forbidden",
            Unreadable::ThreadPrivate => "thread_private",
        }
    }

    /// For people.
    pub fn message(self) -> &'static str {
        match self {
            Unreadable::ChannelForbidden => {
                "the bot cannot see this channel: grant it the VIEW_CHANNEL permission there"
            }
            Unreadable::ConnectForbidden => {
                "the bot cannot read the chat of this voice channel: grant it the CONNECT permission there"
            }
            Unreadable::HistoryForbidden => {
                "the bot cannot read this channel's history: grant it the READ_MESSAGE_HISTORY permission there"
            }
            Unreadable::ThreadPrivate => {
                "the bot is not in this private thread: add it, or grant it the MANAGE_THREADS permission"
            }
        }
    }
}

/// Whether the bot may read a channel with these permissions. `is_joined` is about private
/// threads: whether the bot was added to it.
pub fn reading(
    channel: &Channel,
    permissions: Permissions,
    is_joined: bool,
) -> Result<(), Unreadable> {
    // Without VIEW_CHANNEL, no other permission has an effect.
    if !permissions.has(Permissions::VIEW_CHANNEL) {
        return Err(Unreadable::ChannelForbidden);
    }
    if channel.is_private_thread() && !is_joined && !permissions.has(Permissions::MANAGE_THREADS) {
        return Err(Unreadable::ThreadPrivate);
    }
    if channel.is_voice() && !permissions.has(Permissions::CONNECT) {
        return Err(Unreadable::ConnectForbidden);
    }
    if !permissions.has(Permissions::READ_MESSAGE_HISTORY) {
        return Err(Unreadable::HistoryForbidden);
    }
    Ok(())
}
