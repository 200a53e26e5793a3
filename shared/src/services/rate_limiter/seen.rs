//! How callers stood when this process last asked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Callers remembered at most; beyond, all are forgotten, and stand as if they had
/// used nothing.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Seen {
    callers: Mutex<HashMap<String, Standing>>,
}

/// What a verdict said of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// When that was.
    pub at_ms: i64,
    pub limit: u32,
    pub remaining: u32,
    pub reset_at_ms: i64,
}

impl Seen {
    pub fn add(&self, key: String, standing: Standing) {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= MOST && !callers.contains_key(&key) {
            callers.clear();
        }
        callers.insert(key, standing);
    }

    pub fn forget(&self, key: &str) {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        callers.remove(key);
    }

    /// None of a caller who was never seen, or of whom nothing counts any more.
    pub fn get(&self, key: &str, now_ms: i64) -> Option<Standing> {
        let callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = callers.get(key).copied();
        // A clock that was set back tells nothing of a time it has yet to show.
        standing.filter(|standing| (standing.at_ms..standing.reset_at_ms).contains(&now_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDING: Standing = Standing {
        at_ms: 500,
        limit: 3,
        remaining: 1,
        reset_at_ms: 1000,
    };

    #[test]
    fn what_was_seen_counts_until_its_time_is_over() {
        let seen = Seen::default();
        seen.add("a".into(), STANDING);
        assert_eq!(seen.get("a", 999), Some(STANDING));
        assert_eq!(seen.get("a", 1000), None);
        assert_eq!(seen.get("a", 499), None);
        assert_eq!(seen.get("b", 0), None);
        seen.forget("a");
        assert_eq!(seen.get("a", 999), None);
    }

    #[test]
    fn the_callers_remembered_are_bounded() {
        let seen = Seen::default();
        for n in 0..3 * MOST {
            seen.add(n.to_string(), STANDING);
        }
        assert!(seen.callers.lock().unwrap().len() <= MOST);
    }
}
