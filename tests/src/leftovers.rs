//! Detects jobs that a test leaves behind without knowing it.
//!
//! An unfinished or failed job at the end of a test means that work was not done or went
//! wrong, and that the test did not claim so. [`TestApp`](crate::TestApp) therefore
//! counts them when it is stopped or dropped, and fails the test unless it declared these
//! numbers. A test that declares wrong numbers fails as well, so the declarations stay
//! true.
//!
//! The jobs are counted on the engine itself, because the listener may have stopped and
//! `drop` cannot wait for a request.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use upstash_local::{DirectReply, Inspector};

/// The score range of failed jobs in the set of finished jobs; see `layout.lua`.
const FAILED: (&str, &str) = ("17592186044416", "(35184372088832");

/// Inspects one queue when it is dropped.
pub struct Leftovers {
    inspector: Inspector,
    /// The sorted set of unfinished jobs. While the queue is paused, it has a member with
    /// a negative score.
    index: String,
    /// The sorted set of finished jobs.
    finished: String,
    unfinished: AtomicI64,
    failed: AtomicI64,
    /// Set by `check`, and by tests that allow any leftovers.
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

    /// Declares how many unfinished jobs the test leaves on purpose.
    pub fn expect_unfinished(&self, count: i64) {
        self.unfinished.store(count, Ordering::Relaxed);
    }

    /// Declares how many failed jobs the test leaves on purpose.
    pub fn expect_failed(&self, count: i64) {
        self.failed.store(count, Ordering::Relaxed);
    }

    /// Disables the check.
    pub fn expect_any(&self) {
        self.is_checked.store(true, Ordering::Relaxed);
    }

    /// # Panics
    /// If the leftover jobs are not those that the test declared.
    pub fn check(&self) {
        if self.is_checked.swap(true, Ordering::Relaxed) {
            return;
        }
        let unfinished = self.count(&["ZCOUNT", &self.index, "0", "+inf"]);
        let failed = self.count(&["ZCOUNT", &self.finished, FAILED.0, FAILED.1]);
        // Without an engine there is nothing to inspect.
        let (Some(unfinished), Some(failed)) = (unfinished, failed) else {
            return;
        };
        let expected_unfinished = self.unfinished.load(Ordering::Relaxed);
        let expected_failed = self.failed.load(Ordering::Relaxed);
        assert!(
            unfinished == expected_unfinished && failed == expected_failed,
            "the test leaves {unfinished} unfinished and {failed} failed jobs, not \
             {expected_unfinished} and {expected_failed}; if that is intended, declare it with \
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
        // The first panic is more informative, and a second one would abort the process.
        if !std::thread::panicking() {
            self.check();
        }
    }
}
