//! Roles, and the permissions that a channel grants and takes away.

use serde_json::{Value, json};

use super::ids::BOT_ID;

pub const ADMINISTRATOR: u64 = 1 << 3;
pub const VIEW_CHANNEL: u64 = 1 << 10;
pub const READ_MESSAGE_HISTORY: u64 = 1 << 16;
pub const CONNECT: u64 = 1 << 20;
pub const MANAGE_THREADS: u64 = 1 << 34;

/// The permissions that everyone has in a new guild, as far as they matter here.
pub const EVERYONE: u64 = VIEW_CHANNEL | READ_MESSAGE_HISTORY | CONNECT;

/// A role of a guild. The role whose ID is the guild's is everyone's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub id: u64,
    pub name: String,
    pub permissions: u64,
}

/// Permissions that a channel grants and takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overwrite {
    /// The ID of a role or a member.
    pub id: u64,
    /// Whether it is for a member and not for a role.
    pub of_member: bool,
    pub allow: u64,
    pub deny: u64,
}

impl Overwrite {
    /// For everyone with a role. The guild's ID stands for everyone.
    pub fn role(id: u64, allow: u64, deny: u64) -> Self {
        Self {
            id,
            of_member: false,
            allow,
            deny,
        }
    }

    /// For the bot alone.
    pub fn bot(allow: u64, deny: u64) -> Self {
        Self {
            id: BOT_ID,
            of_member: true,
            allow,
            deny,
        }
    }

    pub(crate) fn to_json(self) -> Value {
        json!({
            "id": self.id.to_string(),
            "type": u8::from(self.of_member),
            "allow": self.allow.to_string(),
            "deny": self.deny.to_string(),
        })
    }
}

impl Role {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "permissions": self.permissions.to_string(),
            "position": 0,
            "color": 0,
            "hoist": false,
            "managed": false,
            "mentionable": false,
        })
    }
}
