//! The keys of sessions.

use crate::redis::Prefix;

/// Builds the keys of sessions.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// STRING: a session as JSON, by its kind and id.
    pub fn session(&self, name: &str) -> String {
        self.0.key(format_args!("session:{name}"))
    }

    /// ZSET: the `{kind}:{id}` of a user's sessions, by their latest possible end.
    pub fn user(&self, user: &str) -> String {
        self.0.key(format_args!("session:user:{user}"))
    }
}
