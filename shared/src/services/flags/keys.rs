//! The key of the flags.

use crate::redis::Prefix;

/// HASH: flag → rule.
pub fn flags(prefix: &Prefix) -> String {
    prefix.key("flags")
}
