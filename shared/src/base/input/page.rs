//! The parameters of a page: where it begins, and how many items it has.

use serde::{Deserialize, Deserializer};

use super::Bounded;

/// The `cursor` of an earlier reply. What is in it belongs to the listing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct PageCursor(String);

impl PageCursor {
    /// The cursor as the caller sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many items a page holds: `DEFAULT`, or what the caller asks for, up to `MOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit<const DEFAULT: u64, const MOST: u64>(u64);

impl<const DEFAULT: u64, const MOST: u64> Limit<DEFAULT, MOST> {
    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl<const DEFAULT: u64, const MOST: u64> Default for Limit<DEFAULT, MOST> {
    fn default() -> Self {
        Limit(DEFAULT)
    }
}

impl<'de, const DEFAULT: u64, const MOST: u64> Deserialize<'de> for Limit<DEFAULT, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Bounded::<1, MOST>::deserialize(deserializer).map(|limit| Limit(limit.get()))
    }
}
