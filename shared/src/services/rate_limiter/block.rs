//! Remembers, in this process, callers that were refused.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The longest time for which a caller is refused without asking Redis. It is limited
/// because the limit may be raised or a call refunded elsewhere.
const LONGEST_MS: i64 = 10_000;

/// The largest number of remembered callers. Above it, all are forgotten, which costs two
/// commands each.
const MOST: usize = 10_000;

#[derive(Default)]
pub(super) struct Blocked {
    callers: Mutex<HashMap<String, Block>>,
}

struct Block {
    /// When the caller was refused. If the clock shows an earlier time, it was set back,
    /// and this entry cannot be trusted.
    since_ms: i64,
    /// When a call of this weight may be admitted. A lighter call may be admitted earlier.
    until_ms: i64,
    asked_again_ms: i64,
    weight: u32,
}

impl Blocked {
    /// The time until which a call of `weight` is certain to be refused.
    pub fn until(&self, key: &str, weight: u32, now_ms: i64) -> Option<i64> {
        let callers = self.lock();
        let block = callers.get(key)?;
        let is_certain =
            (block.since_ms..block.asked_again_ms).contains(&now_ms) && weight >= block.weight;
        is_certain.then_some(block.until_ms)
    }

    pub fn add(&self, key: String, weight: u32, now_ms: i64, until_ms: i64) {
        let mut callers = self.lock();
        if callers.len() >= MOST {
            callers.retain(|_, block| block.asked_again_ms > now_ms);
            if callers.len() >= MOST {
                callers.clear();
            }
        }
        let block = Block {
            since_ms: now_ms,
            until_ms,
            asked_again_ms: until_ms.min(now_ms.saturating_add(LONGEST_MS)),
            weight,
        };
        callers.insert(key, block);
    }

    pub fn forget(&self, key: &str) {
        self.lock().remove(key);
    }

    pub fn forget_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Block>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_caller_is_blocked_until_it_may_be_admitted_and_ten_seconds_at_most() {
        let blocked = Blocked::default();
        blocked.add("a".into(), 1, 1000, 4000);
        assert_eq!(blocked.until("a", 1, 3999), Some(4000));
        assert_eq!(blocked.until("a", 1, 4000), None);
        assert_eq!(blocked.until("b", 1, 1000), None);
        blocked.add("a".into(), 1, 1000, 900_000);
        assert_eq!(blocked.until("a", 1, 10_999), Some(900_000));
        assert_eq!(blocked.until("a", 1, 11_000), None);
    }

    #[test]
    fn a_clock_that_is_set_back_takes_the_block_with_it() {
        let blocked = Blocked::default();
        blocked.add("a".into(), 1, 7_200_000, 7_204_000);
        assert_eq!(blocked.until("a", 1, 7_200_000), Some(7_204_000));
        assert_eq!(blocked.until("a", 1, 1000), None);
    }

    #[test]
    fn a_call_lighter_than_the_refused_one_is_checked() {
        let blocked = Blocked::default();
        blocked.add("a".into(), 5, 0, 4000);
        assert_eq!(blocked.until("a", 4, 1), None);
        assert_eq!(blocked.until("a", 6, 1), Some(4000));
    }

    #[test]
    fn the_number_of_remembered_callers_is_bounded() {
        let blocked = Blocked::default();
        for n in 0..3 * MOST {
            blocked.add(n.to_string(), 1, 0, 1000);
        }
        assert!(blocked.lock().len() <= MOST);
    }
}
