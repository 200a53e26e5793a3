//! What is allowed.

use std::time::Duration;

/// How calls are counted; the module says what each admits and costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// One count for each window of the clock.
    FixedWindow,
    /// Thirty counts that move with the time.
    SlidingWindow,
    /// Every call by its time.
    SlidingLog,
    /// Holds `burst` tokens and gets `limit` a window.
    TokenBucket {
        /// Calls that may come at once.
        burst: u32,
    },
}

/// What happens to a call when Redis does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// It goes on; the reply says that it was not counted.
    Admit,
    /// It is refused.
    Refuse,
}

/// So many calls of an action in so much time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// A part of the key.
    pub action: &'static str,
    /// How calls are counted.
    pub algorithm: Algorithm,
    /// Calls in a window.
    pub limit: u32,
    /// At least a millisecond.
    pub window: Duration,
    /// What happens when Redis does not answer.
    pub on_failure: OnFailure,
}

impl Rule {
    /// A sliding window that admits calls when Redis does not answer.
    pub fn new(action: &'static str, limit: u32, window: Duration) -> Rule {
        Rule {
            action,
            algorithm: Algorithm::SlidingWindow,
            limit,
            window,
            on_failure: OnFailure::Admit,
        }
    }

    /// The same limit, counted another way.
    pub fn by(self, algorithm: Algorithm) -> Rule {
        Rule { algorithm, ..self }
    }

    /// The same limit, which refuses calls when Redis does not answer.
    pub fn or_refuse(self) -> Rule {
        Rule {
            on_failure: OnFailure::Refuse,
            ..self
        }
    }

    pub(super) fn window_ms(&self) -> i64 {
        i64::try_from(self.window.as_millis())
            .unwrap_or(i64::MAX)
            .max(1)
    }
}
