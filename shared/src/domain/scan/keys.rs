//! The keys of the scan domain.

use crate::redis::Prefix;

/// Names the keys of guilds and channels.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// HASH: channel ID → record, one hash per guild.
    pub fn channels(&self, guild_id: &str) -> String {
        self.0.key(format_args!("scan:channels:{guild_id}"))
    }

    /// HASH: `{message, 20 digits}:{clip}` → clip, one hash per channel.
    pub fn clips(&self, channel_id: &str) -> String {
        self.0.key(format_args!("clip:records:{channel_id}"))
    }

    /// ZSET: `{channel}:{message, 20 digits}:{clip}` by time of posting, one set per
    /// guild.
    pub fn recent(&self, guild_id: &str) -> String {
        self.0.key(format_args!("clip:recent:{guild_id}"))
    }

    /// ZSET: the same members and marks, all with score 0, one set per guild.
    pub fn by_channel(&self, guild_id: &str) -> String {
        self.0.key(format_args!("clip:channel:{guild_id}"))
    }

    /// HASH: clip ID → the places of its forwards, one hash per guild.
    pub fn forwards(&self, guild_id: &str) -> String {
        self.0.key(format_args!("clip:forwards:{guild_id}"))
    }

    /// The member for a clip in a message.
    pub fn row(&self, channel_id: &str, message_id: &str, clip_id: &str) -> String {
        format!("{channel_id}:{message_id:0>20}:{clip_id}")
    }

    /// STRING: the settings of a guild, JSON.
    pub fn settings(&self, guild_id: &str) -> String {
        self.0.key(format_args!("guild:settings:{guild_id}"))
    }

    /// STRING: the circuit breaker for Discord.
    pub fn breaker(&self) -> String {
        self.0.key("discord:pace:breaker")
    }
}
