//! The keys of the cache.

use crate::redis::Prefix;

/// Names cached values.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// STRING: a value, or who is loading it.
    pub fn value(&self, kind: &str, id: &str) -> String {
        match kind {
            // That word is the key's below.
            "epoch" => self.0.key(format_args!("cache:%epoch:{id}")),
            _ => self.0.key(format_args!("cache:{kind}:{id}")),
        }
    }

    /// STRING: a word that changes when everything under `id` is invalidated.
    pub fn epoch(&self, id: &str) -> String {
        self.0.key(format_args!("cache:epoch:{id}"))
    }

    /// A pattern for SCAN: `pattern` is one below `cache:`, the prefix is taken as it
    /// stands.
    pub fn matching(&self, pattern: &str) -> String {
        format!("{}cache:{pattern}", self.0.pattern())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_never_taken_for_a_pattern() {
        let keys = Keys(Prefix::new("a*:"));
        assert_eq!(keys.matching("guild:*"), "a\\*:cache:guild:*");
    }
}
