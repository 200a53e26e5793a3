//! The keys of sessions.

use crate::redis::Prefix;

/// Names sessions.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// STRING: a session, by its kind and id, as JSON.
    pub fn session(&self, name: &str) -> String {
        self.0.key(format_args!("session:{name}"))
    }

    /// ZSET: `{kind}:{id}` of a user's sessions by the time they end at the latest.
    pub fn user(&self, user: &str) -> String {
        self.0.key(format_args!("session:user:{user}"))
    }
}
