//! The keys of the scan domain.

use crate::notices::Keys as NoticeKeys;
use crate::redis::Prefix;

/// Names the keys of guilds and channels.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// HASH: channel ID → record, one hash per guild.
    pub fn channels(&self, guild_id: &str) -> String {
        self.0.key(format_args!("scan:channels:{guild_id}"))
    }

    /// STRING: a clip, one per row.
    pub fn record(&self, row: &str) -> String {
        self.0.key(format_args!("clip:record:{row}"))
    }

    /// HASH: `{message, 20 digits}:{clip}` → clip, as version 0.1 stored them.
    pub fn old_records(&self, channel_id: &str) -> String {
        self.0.key(format_args!("clip:records:{channel_id}"))
    }

    /// ZSET: `{term}:{message, 20 digits}:{channel}:{clip}`, all with score 0: what the
    /// listed clips of a guild are found by.
    pub fn index(&self, guild_id: &str) -> String {
        self.0.key(format_args!("clip:index:{guild_id}"))
    }

    /// The keys of a guild that every script of clips names first, in their order.
    pub(super) fn of_clips(&self, guild_id: &str) -> Vec<String> {
        vec![
            self.channels(guild_id),
            self.recent(guild_id),
            self.by_channel(guild_id),
            self.forwards(guild_id),
            self.index(guild_id),
        ]
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

    /// HASH: the plan of a guild scan: channel ID → its part of the scan, and a head.
    pub fn plan(&self, scan_id: &str) -> String {
        self.0.key(format_args!("scan:plan:{scan_id}"))
    }

    /// HASH: channel ID → how far its archived threads are known, one hash per guild.
    pub fn threads(&self, guild_id: &str) -> String {
        self.0.key(format_args!("scan:threads:{guild_id}"))
    }

    /// STRING: the webhook of a guild. Scans only look whether there is one.
    pub fn webhook(&self, guild_id: &str) -> String {
        NoticeKeys(self.0.clone()).webhook(guild_id)
    }

    /// STRING: the circuit breaker for Discord.
    pub fn breaker(&self) -> String {
        self.0.key("discord:pace:breaker")
    }
}
