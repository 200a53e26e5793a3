//! Which threads are included in a scan.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Which threads are included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IncludeThreads {
    /// No threads.
    None,
    /// Threads that are not archived.
    Active,
    /// Archived threads too.
    #[default]
    All,
}

/// Also as it was stored once: `true` for all of them, `false` for none.
impl<'de> Deserialize<'de> for IncludeThreads {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Word)
    }
}

struct Word;

impl Visitor<'_> for Word {
    type Value = IncludeThreads;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("none, active or all")
    }

    fn visit_bool<E: Error>(self, all: bool) -> Result<IncludeThreads, E> {
        Ok(match all {
            true => IncludeThreads::All,
            false => IncludeThreads::None,
        })
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<IncludeThreads, E> {
        match word {
            "none" => Ok(IncludeThreads::None),
            "active" => Ok(IncludeThreads::Active),
            "all" => Ok(IncludeThreads::All),
            _ => Err(E::custom("expected none, active or all")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_read_as_it_was_stored_once_too() {
        let read = |text: &str| serde_json::from_str::<IncludeThreads>(text).ok();
        assert_eq!(read("true"), Some(IncludeThreads::All));
        assert_eq!(read("false"), Some(IncludeThreads::None));
        for word in [
            IncludeThreads::None,
            IncludeThreads::Active,
            IncludeThreads::All,
        ] {
            let text = serde_json::to_string(&word).unwrap();
            assert_eq!(read(&text), Some(word));
        }
        for text in ["1", "null", "\"All\"", "\"\""] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
