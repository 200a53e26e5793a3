//! The keys of the scan's domain.

/// Names the keys of guilds and channels.
pub struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Keys {
        Keys {
            prefix: prefix.to_owned(),
        }
    }

    /// HASH: channel id → record, of a guild.
    pub fn channels(&self, guild_id: &str) -> String {
        format!("{}scan:channels:{guild_id}", self.prefix)
    }

    /// HASH: `{message, 20 digits}:{clip}` → clip, of a channel.
    pub fn clips(&self, channel_id: &str) -> String {
        format!("{}clip:records:{channel_id}", self.prefix)
    }

    /// ZSET: `{channel}:{message, 20 digits}:{clip}` by the time they were posted, of a
    /// guild.
    pub fn recent(&self, guild_id: &str) -> String {
        format!("{}clip:recent:{guild_id}", self.prefix)
    }

    /// ZSET: the same and marks, all with score 0, of a guild.
    pub fn by_channel(&self, guild_id: &str) -> String {
        format!("{}clip:channel:{guild_id}", self.prefix)
    }

    /// HASH: clip id → the places of its forwards, of a guild.
    pub fn forwards(&self, guild_id: &str) -> String {
        format!("{}clip:forwards:{guild_id}", self.prefix)
    }

    /// The member that stands for a clip in a message.
    pub fn row(&self, channel_id: &str, message_id: &str, clip_id: &str) -> String {
        format!("{channel_id}:{message_id:0>20}:{clip_id}")
    }

    /// STRING: the settings of a guild, JSON.
    pub fn settings(&self, guild_id: &str) -> String {
        format!("{}guild:settings:{guild_id}", self.prefix)
    }

    /// STRING: why and until when Discord is left alone, by all.
    pub fn breaker(&self) -> String {
        format!("{}discord:pace:breaker", self.prefix)
    }
}
