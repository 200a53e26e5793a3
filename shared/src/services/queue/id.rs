//! Job ids.

use serde::{Deserialize, Deserializer, Serialize};
use ulid::Ulid;

use crate::clock::Clock;

/// A job id: a ULID that is new for every job and never reused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct JobId(String);

impl JobId {
    /// Returns a new id. Ids sort by the time of `clock`.
    pub fn new(clock: &Clock) -> JobId {
        let now_ms = u64::try_from(clock.now_ms()).unwrap_or(0);
        JobId(Ulid::from_parts(now_ms, fastrand::u128(..)).to_string())
    }

    /// Returns the id of a job that is created from something with a name of its own.
    /// Everyone who finds the same origin gets the same id.
    pub fn derived(at_ms: i64, origin: &str) -> JobId {
        let hash = sha1_smol::Sha1::from(origin).digest().bytes();
        // Eighty bits, as many as a ULID has, so two origins in one millisecond do not
        // collide.
        let random = hash[..10]
            .iter()
            .fold(0u128, |random, byte| (random << 8) | u128::from(*byte));
        JobId(Ulid::from_parts(u64::try_from(at_ms).unwrap_or(0), random).to_string())
    }

    /// Returns the id in `text`, if `text` is a valid id.
    pub fn parse(text: &str) -> Option<JobId> {
        let id = Ulid::from_string(text).ok()?;
        // Only one spelling is accepted, because the id is part of keys.
        (id.to_string() == text).then(|| JobId(text.to_owned()))
    }

    /// The id's 26 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the id was created, in unix milliseconds.
    pub fn created_ms(&self) -> i64 {
        Ulid::from_string(&self.0).map_or(0, |id| i64::try_from(id.timestamp_ms()).unwrap_or(0))
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        JobId::parse(&text).ok_or_else(|| {
            serde::de::Error::custom("expected the id of a job, as its reply has it")
        })
    }
}

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = JobId::new(&Clock::manual(1_800_000_000_000));
        assert_eq!(JobId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(JobId::parse(&id.as_str().to_lowercase()), None);
        assert_eq!(JobId::parse("01J/../x"), None);
        assert_eq!(id.created_ms(), 1_800_000_000_000);
    }

    #[test]
    fn the_same_origin_gives_the_same_id() {
        let id = JobId::derived(1_800_000_000_000, "nightly");
        assert_eq!(id, JobId::derived(1_800_000_000_000, "nightly"));
        assert_ne!(id, JobId::derived(1_800_000_000_000, "hourly"));
        assert_eq!(id.created_ms(), 1_800_000_000_000);
    }
}
