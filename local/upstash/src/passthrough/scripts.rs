//! Scripts on a server that does not know `allow-key-locking`.
//!
//! The flag is removed from the first line of a script, which changes its digest. The
//! mapping between both digests is kept only in memory here. After a restart of the
//! endpoint such a script is not found, as after a restart of the hosted service.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::errors::CommandError;
use crate::lua::shebang;

const UNKNOWN_TO_SERVERS: &str = "allow-key-locking";

/// The digests as clients know them, mapped to the server's where they differ.
#[derive(Default)]
pub struct Digests(Mutex<HashMap<String, String>>);

/// Both digests of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The digest of the source as the client sent it.
    pub sent: String,
    /// The digest under which the server knows it.
    pub served: String,
}

impl Digests {
    /// The source to send to the server and its digests.
    ///
    /// # Errors
    ///
    /// If the hosted service would reject the first line.
    pub fn load<'a>(&self, source: &'a [u8]) -> Result<(Cow<'a, [u8]>, Named), CommandError> {
        let served = without_flag(source)?;
        let sent = digest(source);
        let named = match &served {
            Cow::Borrowed(_) => Named {
                served: sent.clone(),
                sent,
            },
            Cow::Owned(served) => Named {
                served: digest(served),
                sent,
            },
        };
        if named.sent != named.served {
            self.map().insert(named.sent.clone(), named.served.clone());
        }
        Ok((served, named))
    }

    /// Looks up a script by the digest that a client knows.
    pub fn find(&self, sent: &[u8]) -> Named {
        let sent = String::from_utf8_lossy(sent).to_ascii_lowercase();
        let served = self.map().get(&sent).cloned();
        Named {
            served: served.unwrap_or_else(|| sent.clone()),
            sent,
        }
    }

    /// Forgets all scripts, after the server has done the same.
    pub fn clear(&self) {
        self.map().clear();
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        // The map is consistent after every call, even one that panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(source: &[u8]) -> String {
    sha1_smol::Sha1::from(source).digest().to_string()
}

/// Removes the flag and keeps line numbers. If nothing else is left, the first line
/// becomes empty, because a bare `#!lua` would change how the server runs the script.
fn without_flag(source: &[u8]) -> Result<Cow<'_, [u8]>, CommandError> {
    let (flags, body) = shebang::split(source)?;
    if !flags.locks_keys {
        return Ok(Cow::Borrowed(source));
    }
    let line = String::from_utf8_lossy(&source[..source.len() - body.len()]).into_owned();
    let left: Vec<&str> = line
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("flags="))
        .flat_map(|names| names.split(','))
        .filter(|name| !name.is_empty() && *name != UNKNOWN_TO_SERVERS)
        .collect();
    let mut served = match left.is_empty() {
        true => Vec::new(),
        false => format!("#!lua flags={}", left.join(",")).into_bytes(),
    };
    served.extend_from_slice(&body);
    Ok(Cow::Owned(served))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_flag_is_taken_out() {
        for (sent, served) in [
            ("#!lua flags=allow-key-locking\nreturn 1", "\nreturn 1"),
            (
                "#!lua flags=no-writes,allow-key-locking\nreturn 1",
                "#!lua flags=no-writes\nreturn 1",
            ),
            (
                "#!lua flags=no-writes\nreturn 1",
                "#!lua flags=no-writes\nreturn 1",
            ),
            ("return 1", "return 1"),
        ] {
            assert_eq!(without_flag(sent.as_bytes()).unwrap(), served.as_bytes());
        }
        assert!(without_flag(b"#!lua flags=bogus\nreturn 1").is_err());
    }

    #[test]
    fn a_digest_is_found_until_the_scripts_are_flushed() {
        let digests = Digests::default();
        let source = b"#!lua flags=allow-key-locking\nreturn 1";
        let (served, named) = digests.load(source).unwrap();
        assert_eq!(named.served, digest(&served));
        let sent = named.sent.to_ascii_uppercase();
        assert_eq!(digests.find(sent.as_bytes()), named);
        digests.clear();
        assert_eq!(digests.find(sent.as_bytes()).served, named.sent);
    }
}
