//! Whether a test leaves jobs behind that it does not know of.
//!
//! A job that is unfinished or failed at the end of a test is a claim nobody made: the work
//! was not done, or it went wrong. So [`TestApp`](crate::TestApp) counts them when it is
//! stopped or dropped, and fails the test unless it named these numbers. A test that names
//! others than there are fails as well, so what it says stays true.
//!
//! They are counted on the engine itself: the listener may have stopped, and `drop` cannot
//! wait for a request.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use upstash_local::{DirectReply, Inspector};

/// Scores of failed jobs among the finished ones; see `layout.lua`.
const FAILED: (&str, &str) = ("17592186044416", "(35184372088832");

/// Looks at one queue when it is dropped.
pub struct Leftovers {
    inspector: Inspector,
    /// Sorted set of the unfinished jobs. A paused queue has a member below zero there.
    index: String,
    /// Sorted set of the finished jobs.
    finished: String,
    unfinished: AtomicI64,
    failed: AtomicI64,
    /// Set by `check`, and by a test that does not mind what is left.
    is_checked: AtomicBool,
}

impl Leftovers {
    pub fn new(inspector: Inspector, keys: &shared::queue::Keys) -> Leftovers {
        Leftovers {
            inspector,
            index: keys.index.clone(),
            finished: keys.finished.clone(),
            unfinished: AtomicI64::new(0),
            failed: AtomicI64::new(0),
            is_checked: AtomicBool::new(false),
        }
    }

    /// How many unfinished jobs the test means to leave.
    pub fn expect_unfinished(&self, count: i64) {
        self.unfinished.store(count, Ordering::Relaxed);
    }

    /// How many failed jobs the test means to leave.
    pub fn expect_failed(&self, count: i64) {
        self.failed.store(count, Ordering::Relaxed);
    }

    /// Does not look at all.
    pub fn expect_any(&self) {
        self.is_checked.store(true, Ordering::Relaxed);
    }

    /// # Panics
    /// If the jobs left are not those the test named.
    pub fn check(&self) {
        if self.is_checked.swap(true, Ordering::Relaxed) {
            return;
        }
        let unfinished = self.count(&["ZCOUNT", &self.index, "0", "+inf"]);
        let failed = self.count(&["ZCOUNT", &self.finished, FAILED.0, FAILED.1]);
        // Without an engine there is nothing left to look at.
        let (Some(unfinished), Some(failed)) = (unfinished, failed) else {
            return;
        };
        let expected_unfinished = self.unfinished.load(Ordering::Relaxed);
        let expected_failed = self.failed.load(Ordering::Relaxed);
        assert!(
            unfinished == expected_unfinished && failed == expected_failed,
            "the test leaves {unfinished} unfinished and {failed} failed jobs, not \
             {expected_unfinished} and {expected_failed}; if it means to, it says so with \
             `app.leaves_unfinished(…)` and `app.leaves_failed(…)`"
        );
    }

    fn count(&self, command: &[&str]) -> Option<i64> {
        match self.inspector.call(command)? {
            DirectReply::Int(count) => Some(count),
            _ => None,
        }
    }
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        // The first panic says more, and a second one would end the process.
        if !std::thread::panicking() {
            self.check();
        }
    }
}
