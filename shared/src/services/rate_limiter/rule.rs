//! What is allowed.

use std::time::Duration;

/// How calls are counted; the module says what each admits and costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    FixedWindow,
    SlidingWindow,
    SlidingLog,
    /// Holds `burst` tokens and gets `limit` a window.
    TokenBucket {
        burst: u32,
    },
}

/// What happens to a call when Redis cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    Admit,
    Refuse,
}

/// So many calls of an action in so much time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// A part of the key.
    pub action: &'static str,
    pub algorithm: Algorithm,
    pub limit: u32,
    /// At least a millisecond.
    pub window: Duration,
    pub on_failure: OnFailure,
}

impl Rule {
    /// A sliding window that admits when Redis cannot tell.
    pub fn new(action: &'static str, limit: u32, window: Duration) -> Rule {
        Rule {
            action,
            algorithm: Algorithm::SlidingWindow,
            limit,
            window,
            on_failure: OnFailure::Admit,
        }
    }

    pub fn by(self, algorithm: Algorithm) -> Rule {
        Rule { algorithm, ..self }
    }

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
