//! The prefix of every key of a deployment.

use std::fmt::Display;
use std::sync::Arc;

/// The text before every key, from the setting `KEY_PREFIX`. Two deployments on one database
/// differ in it.
///
/// Each service has a `keys.rs`, the only file that spells its keys, and builds them with
/// [`Prefix::key`]. So no key can be written without the prefix by mistake. Cheap to clone.
///
/// ```
/// use shared::redis::Prefix;
///
/// assert_eq!(Prefix::new("trawl:").key("lock:fence"), "trawl:lock:fence");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(Arc<str>);

impl Prefix {
    /// Creates a prefix, which may be empty.
    pub fn new(prefix: &str) -> Prefix {
        Prefix(prefix.into())
    }

    /// Returns the key with this name in the deployment.
    pub fn key(&self, name: impl Display) -> String {
        format!("{}{name}", self.0)
    }

    /// The prefix as a SCAN pattern that matches only itself: `*` and `?` are escaped.
    pub fn pattern(&self) -> String {
        let mut escaped = String::with_capacity(self.0.len());
        for letter in self.0.chars() {
            if matches!(letter, '*' | '?' | '[' | ']' | '\\') {
                escaped.push('\\');
            }
            escaped.push(letter);
        }
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_never_read_as_a_pattern() {
        assert_eq!(Prefix::new("a*:").pattern(), "a\\*:");
        assert_eq!(Prefix::new("[x]\\").pattern(), "\\[x\\]\\\\");
    }
}
