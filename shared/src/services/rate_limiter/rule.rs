//! What a caller may do.

use std::time::Duration;

/// How calls are counted. The module's documentation says what each algorithm admits and
/// costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// One count for each window of the clock.
    FixedWindow,
    /// Thirty counts that move with time.
    SlidingWindow,
    /// Every call with its time.
    SlidingLog,
    /// A bucket that holds `burst` tokens and gets `limit` tokens in each window.
    TokenBucket {
        /// The number of calls that may come at once.
        burst: u32,
    },
}

/// What happens to a call if Redis does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The call is admitted, and the reply says that it was not counted.
    Admit,
    /// The call is refused.
    Refuse,
}

/// A limit on an action: a number of calls in a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The name of the action, which is part of the key.
    pub action: &'static str,
    /// How calls are counted.
    pub algorithm: Algorithm,
    /// The number of calls in a window.
    pub limit: u32,
    /// The length of the window, at least a millisecond.
    pub window: Duration,
    /// What happens if Redis does not answer.
    pub on_failure: OnFailure,
}

impl Rule {
    /// A sliding window that admits calls if Redis does not answer.
    pub fn new(action: &'static str, limit: u32, window: Duration) -> Rule {
        Rule {
            action,
            algorithm: Algorithm::SlidingWindow,
            limit,
            window,
            on_failure: OnFailure::Admit,
        }
    }

    /// The same limit with another algorithm.
    pub fn by(self, algorithm: Algorithm) -> Rule {
        Rule { algorithm, ..self }
    }

    /// The same limit, but calls are refused if Redis does not answer.
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
