//! The key of the flags.

/// HASH: flag → rule.
pub fn flags(prefix: &str) -> String {
    format!("{prefix}flags")
}
