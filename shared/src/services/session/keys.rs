//! The keys of sessions.

/// Names sessions.
pub struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Keys {
        Keys {
            prefix: prefix.to_owned(),
        }
    }

    /// STRING: a session, by its kind and id, as JSON.
    pub fn session(&self, name: &str) -> String {
        format!("{}session:{name}", self.prefix)
    }

    /// ZSET: `{kind}:{id}` of a user's sessions by the time they end at the latest.
    pub fn user(&self, user: &str) -> String {
        format!("{}session:user:{user}", self.prefix)
    }
}
