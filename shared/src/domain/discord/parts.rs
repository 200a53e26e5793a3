//! The lists in a message, parsed entry by entry.

use std::ops::Deref;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A list in a message. Null counts as empty.
#[derive(Clone, Debug)]
pub struct Parts<T> {
    parts: Vec<T>,
    lacks: bool,
}

impl<T> Default for Parts<T> {
    fn default() -> Parts<T> {
        Parts {
            parts: Vec::new(),
            lacks: false,
        }
    }
}

impl<T> Parts<T> {
    /// Whether it is not a list, or an entry could not be parsed.
    pub(super) fn lacks(&self) -> bool {
        self.lacks
    }
}

impl<T> Deref for Parts<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.parts
    }
}

impl<'a, T> IntoIterator for &'a Parts<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.parts.iter()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Parts<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (entries, mut lacks) = match Value::deserialize(deserializer)? {
            Value::Null => (Vec::new(), false),
            Value::Array(entries) => (entries, false),
            _ => (Vec::new(), true),
        };
        let mut parts = Vec::with_capacity(entries.len());
        for entry in entries {
            match serde_json::from_value(entry) {
                Ok(part) => parts.push(part),
                Err(_) => lacks = true,
            }
        }
        Ok(Parts { parts, lacks })
    }
}
