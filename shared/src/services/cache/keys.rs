//! The keys of the cache.

use crate::redis::Prefix;

/// Builds the keys of cached values.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// STRING: a value, or the claim of the process that is loading it.
    pub fn value(&self, kind: &str, id: &str) -> String {
        match kind {
            // A kind named `epoch` must not share keys with the epochs below.
            "epoch" => self.0.key(format_args!("cache:%epoch:{id}")),
            _ => self.0.key(format_args!("cache:{kind}:{id}")),
        }
    }

    /// STRING: a word that changes when everything under `id` is invalidated.
    pub fn epoch(&self, id: &str) -> String {
        self.0.key(format_args!("cache:epoch:{id}"))
    }

    /// Builds a pattern for SCAN. `pattern` applies after `cache:`; the prefix is matched
    /// literally.
    pub fn matching(&self, pattern: &str) -> String {
        format!("{}cache:{pattern}", self.0.pattern())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_never_read_as_a_pattern() {
        let keys = Keys(Prefix::new("a*:"));
        assert_eq!(keys.matching("guild:*"), "a\\*:cache:guild:*");
    }
}
