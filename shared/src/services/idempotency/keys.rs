//! The keys of remembered requests.

/// Names requests.
pub struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Keys {
        Keys {
            prefix: prefix.to_owned(),
        }
    }

    /// STRING: a request in progress, or its reply. Callers choose `key`, so its hash
    /// stands for it: it may be long, and be anything.
    pub(super) fn request(&self, scope: &str, key: &str) -> String {
        let hash = sha1_smol::Sha1::from(key).digest();
        format!("{}idempotency:{scope}:{hash}", self.prefix)
    }
}
