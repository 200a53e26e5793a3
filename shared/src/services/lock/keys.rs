//! The keys of the locks.

use crate::redis::Prefix;

/// Builds the keys of locks.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// STRING: the token of the holder. A resource may have any name, even that of the key
    /// below.
    pub(super) fn lock(&self, resource: &str) -> String {
        let is_special = resource == "fence" || resource.starts_with('%');
        let mark = if is_special { "%" } else { "" };
        self.0.key(format_args!("lock:{mark}{resource}"))
    }

    /// STRING: the last fence. All locks share it, because one number for each lock would
    /// stay forever.
    pub(super) fn fence(&self) -> String {
        self.0.key("lock:fence")
    }
}
