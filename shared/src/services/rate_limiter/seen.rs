//! Remembers what each caller had left when this process last asked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The largest number of remembered callers. Above it, all are forgotten, and count as
/// having used nothing.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Seen {
    callers: Mutex<HashMap<String, Quota>>,
}

/// What a caller had left, according to its last verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quota {
    /// The time of that verdict.
    pub at_ms: i64,
    pub limit: u32,
    pub remaining: u32,
    pub reset_at_ms: i64,
}

impl Seen {
    pub fn add(&self, key: String, quota: Quota) {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= MOST && !callers.contains_key(&key) {
            callers.clear();
        }
        callers.insert(key, quota);
    }

    pub fn forget(&self, key: &str) {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        callers.remove(key);
    }

    /// `None` for a caller that was never seen, or whose calls no longer count.
    pub fn get(&self, key: &str, now_ms: i64) -> Option<Quota> {
        let callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let quota = callers.get(key).copied();
        // If the clock was set back, the entry is from the future and is ignored.
        quota.filter(|quota| (quota.at_ms..quota.reset_at_ms).contains(&now_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Quota = Quota {
        at_ms: 500,
        limit: 3,
        remaining: 1,
        reset_at_ms: 1000,
    };

    #[test]
    fn a_seen_quota_counts_until_it_resets() {
        let seen = Seen::default();
        seen.add("a".into(), LEFT);
        assert_eq!(seen.get("a", 999), Some(LEFT));
        assert_eq!(seen.get("a", 1000), None);
        assert_eq!(seen.get("a", 499), None);
        assert_eq!(seen.get("b", 0), None);
        seen.forget("a");
        assert_eq!(seen.get("a", 999), None);
    }

    #[test]
    fn the_number_of_remembered_callers_is_bounded() {
        let seen = Seen::default();
        for n in 0..3 * MOST {
            seen.add(n.to_string(), LEFT);
        }
        assert!(seen.callers.lock().unwrap().len() <= MOST);
    }
}
