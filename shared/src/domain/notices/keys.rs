//! The keys of notices.

use crate::redis::Prefix;

/// Names the keys of notices.
#[derive(Clone)]
pub struct Keys(pub(in crate::domain) Prefix);

impl Keys {
    /// STRING: the webhook of a guild, JSON.
    pub fn webhook(&self, guild_id: &str) -> String {
        self.0.key(format_args!("notice:webhook:{guild_id}"))
    }

    /// HASH: job id → item that is to be sent, JSON.
    pub fn pending(&self, guild_id: &str) -> String {
        self.0.key(format_args!("notice:pending:{guild_id}"))
    }

    /// STRING: exists for a minute after a notice was sent.
    pub fn sent(&self, guild_id: &str) -> String {
        self.0.key(format_args!("notice:sent:{guild_id}"))
    }
}
