//! The keys of the locks.

/// Names locks.
pub struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Keys {
        Keys {
            prefix: prefix.to_owned(),
        }
    }

    /// STRING: the token of the holder. A resource may have any name, also that of the key
    /// below.
    pub(super) fn lock(&self, resource: &str) -> String {
        let is_special = resource == "fence" || resource.starts_with('%');
        let mark = if is_special { "%" } else { "" };
        format!("{}lock:{mark}{resource}", self.prefix)
    }

    /// STRING: the last fence, of all locks: one number each would stay for ever.
    pub(super) fn fence(&self) -> String {
        format!("{}lock:fence", self.prefix)
    }
}
