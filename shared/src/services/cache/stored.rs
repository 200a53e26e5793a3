//! The stored form of a cached value, and how a reader interprets it.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::json::to_json;

/// The text of an entry. Names are short, because every request reads it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Stored {
    /// The time until which the value is fresh, in unix milliseconds. `None` while nothing
    /// was loaded.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub fresh_until: Option<i64>,
    /// How long the load took, in milliseconds.
    #[serde(rename = "d", default)]
    pub load_ms: u64,
    /// The epoch at the start of the load.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// The claim of the process that is loading the value.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// The value. Absent if the value does not exist, which differs from a value that is
    /// `null`.
    #[serde(
        rename = "v",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub value: Option<Box<RawValue>>,
}

fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(from).map(Some)
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claim {
    /// Makes each claim's text unique.
    #[serde(rename = "t")]
    pub token: String,
    /// The time after which the load is considered abandoned, in unix milliseconds.
    #[serde(rename = "u")]
    pub until: i64,
}

impl Stored {
    pub fn text(&self) -> String {
        to_json(self)
    }
}

/// What was found in the place of a value.
#[derive(Debug)]
pub(super) struct Look<T> {
    /// The text that was found, for a write that depends on it. `None` if the key does not
    /// exist.
    pub raw: Option<String>,
    pub epoch: Option<String>,
    pub found: Found<T>,
    /// The time until which somebody is loading the value.
    pub claimed_until: i64,
    pub stored: Stored,
    /// Whether the text could not be read.
    pub is_unreadable: bool,
}

#[derive(Debug, PartialEq)]
pub(super) enum Found<T> {
    Fresh(Option<T>),
    Stale(Option<T>),
    Nothing,
}

impl<T: DeserializeOwned> Look<T> {
    /// Reads Redis' answer for the key and its epoch, at the time `now`.
    pub fn of(raw: Option<Vec<u8>>, epoch: Option<String>, now: i64) -> Look<T> {
        let mut look = Look {
            raw: None,
            epoch,
            found: Found::Nothing,
            claimed_until: 0,
            stored: Stored::default(),
            is_unreadable: false,
        };
        let Some(raw) = raw else { return look };
        // Invalid UTF-8 is replaced by whoever loads next.
        let text = String::from_utf8_lossy(&raw).into_owned();
        let stored: Result<Stored, _> = serde_json::from_str(&text);
        look.raw = Some(text);
        let Ok(stored) = stored else {
            look.is_unreadable = true;
            return look;
        };
        if stored.epoch != look.epoch {
            return look;
        }
        look.claimed_until = stored.claim.as_ref().map_or(0, |claim| claim.until);
        if let Some(fresh_until) = stored.fresh_until {
            let value = stored.value.as_ref().map(|value| value.get());
            match value.map(serde_json::from_str).transpose() {
                Ok(value) if now < fresh_until => look.found = Found::Fresh(value),
                Ok(value) => look.found = Found::Stale(value),
                Err(_) => {
                    look.is_unreadable = true;
                    return look;
                }
            }
        }
        look.stored = stored;
        look
    }

    pub fn is_claimed(&self, now: i64) -> bool {
        self.claimed_until > now
    }

    /// Whether this reader should reload a value that is still fresh. This becomes likelier
    /// near the end of the fresh time and for slow loads, so that among many readers one
    /// starts before all would have to. `dice` is random, from 0 (exclusive) to 1.
    pub fn is_due_early(&self, now: i64, dice: f64) -> bool {
        let Some(fresh_until) = self.stored.fresh_until else {
            return false;
        };
        // -ln of a random number is exponentially distributed: among many readers one
        // begins early, and rarely two. A slow source gets a longer head start.
        let head_start = self.stored.load_ms as f64 * -dice.max(f64::MIN_POSITIVE).ln();
        now as f64 + head_start >= fresh_until as f64
    }

    /// Builds the text that claims the load for `lease` and keeps the value that is stored.
    pub fn claim(&self, token: String, now: i64, lease: Duration) -> String {
        let (fresh_until, value) = match self.found {
            Found::Nothing => (None, None),
            _ => (self.stored.fresh_until, self.stored.value.clone()),
        };
        Stored {
            fresh_until,
            value,
            load_ms: self.stored.load_ms,
            epoch: self.epoch.clone(),
            claim: Some(Claim {
                token,
                until: now.saturating_add(lease.as_millis() as i64),
            }),
        }
        .text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str, epoch: Option<&str>, now: i64) -> Look<u64> {
        Look::of(
            Some(text.as_bytes().to_vec()),
            epoch.map(str::to_owned),
            now,
        )
    }

    #[test]
    fn a_value_is_fresh_then_stale_and_so_is_a_missing_one() {
        let text = r#"{"f":1000,"d":5,"v":7}"#;
        assert_eq!(look(text, None, 999).found, Found::Fresh(Some(7)));
        assert_eq!(look(text, None, 1000).found, Found::Stale(Some(7)));
        assert_eq!(
            look(r#"{"f":1000,"d":5}"#, None, 0).found,
            Found::Fresh(None)
        );
    }

    #[test]
    fn a_value_that_is_null_is_not_none() {
        fn look<T: DeserializeOwned>(text: &str) -> Found<T> {
            Look::of(Some(text.as_bytes().to_vec()), None, 0).found
        }
        let (null, none) = (r#"{"f":1000,"v":null}"#, r#"{"f":1000}"#);
        assert_eq!(look::<()>(null), Found::Fresh(Some(())));
        assert_eq!(look::<Option<u64>>(null), Found::Fresh(Some(None)));
        assert_eq!(look::<()>(none), Found::Fresh(None));
    }

    #[test]
    fn an_unreadable_value_counts_as_missing_and_is_reported() {
        for text in ["", "nonsense", "[1", r#"{"f":1000,"v":"seven"}"#, "\u{1}"] {
            let look = look(text, None, 0);
            assert!(look.is_unreadable && look.found == Found::Nothing, "{text}");
            assert_eq!(look.raw.as_deref(), Some(text));
        }
        let bytes = Look::<u64>::of(Some(vec![0xff, 0xfe]), None, 0);
        assert!(bytes.is_unreadable);
    }

    #[test]
    fn a_value_and_a_claim_of_another_epoch_are_ignored() {
        let text = r#"{"f":1000,"e":"a","c":{"t":"x","u":900},"v":7}"#;
        assert_eq!(look(text, Some("a"), 0).found, Found::Fresh(Some(7)));
        assert!(look(text, Some("a"), 0).is_claimed(0));
        for epoch in [None, Some("b")] {
            let look = look(text, epoch, 0);
            assert!(look.found == Found::Nothing && !look.is_claimed(0));
        }
    }

    #[test]
    fn a_claim_keeps_the_value_and_ends_by_itself() {
        let stale = look(r#"{"f":1000,"d":5,"e":"a","v":7}"#, Some("a"), 2000);
        let claimed = stale.claim("t".into(), 2000, Duration::from_secs(1));
        let seen = look(&claimed, Some("a"), 2500);
        assert_eq!(seen.found, Found::Stale(Some(7)));
        assert!(seen.is_claimed(2999) && !seen.is_claimed(3000));
        let empty = Look::<u64>::of(None, None, 0);
        let placeholder = empty.claim("t".into(), 0, Duration::from_secs(1));
        assert_eq!(look(&placeholder, None, 0).found, Found::Nothing);
        assert!(!look(&placeholder, None, 0).is_unreadable);
    }

    #[test]
    fn an_early_load_is_likelier_near_the_end_and_for_slow_loads() {
        let slow = look(r#"{"f":10000,"d":1000,"v":7}"#, None, 0);
        let share = |now: i64, look: &Look<u64>| {
            let due = (1..1000).filter(|n| look.is_due_early(now, f64::from(*n) / 1000.0));
            due.count()
        };
        assert_eq!(share(0, &slow), 0);
        let (far, near) = (share(8000, &slow), share(9900, &slow));
        assert!(far < near && near > 850, "{far} {near}");
        let quick = look(r#"{"f":10000,"d":1,"v":7}"#, None, 0);
        assert!(share(9900, &quick) == 0);
    }
}
