//! The result of a check.

use super::{OnFailure, Rule};

/// Why a call was admitted or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The call was within the limit and was counted.
    Counted,
    /// The call would exceed the limit.
    Exceeded,
    /// An operator has blocked the caller.
    Denied,
    /// This process refused the caller a moment ago.
    Blocked,
    /// Redis did not answer, so the rule decided.
    Unavailable,
    /// Redis was not asked. This is the caller's state from a while ago.
    Seen,
}

/// Whether a call is admitted, and what its caller has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the call is admitted.
    pub admitted: bool,
    /// Why it is admitted or refused.
    pub reason: Reason,
    /// The limit that applied.
    pub limit: u32,
    /// What is left of the limit. 0 if Redis did not answer, because it is unknown.
    pub remaining: u32,
    /// A time in unix milliseconds. For an admitted call: when the whole limit is free
    /// again if no other call follows. For a refused call: when it may be admitted. 0 if
    /// Redis did not answer.
    pub reset_at_ms: i64,
}

impl Verdict {
    /// How long a refused caller should wait, in whole seconds, at least 1.
    pub fn retry_after_secs(&self, now_ms: i64) -> u64 {
        let left = u64::try_from(self.reset_at_ms - now_ms).unwrap_or(0);
        left.div_ceil(1000).max(1)
    }

    pub(super) fn read(word: &str, limit: i64, remaining: i64, reset_at_ms: i64) -> Verdict {
        let reason = match word {
            "admitted" => Reason::Counted,
            "denied" => Reason::Denied,
            _ => Reason::Exceeded,
        };
        let number = |number: i64| u32::try_from(number.max(0)).unwrap_or(u32::MAX);
        Verdict {
            admitted: reason == Reason::Counted,
            reason,
            limit: number(limit),
            remaining: number(remaining),
            reset_at_ms,
        }
    }

    pub(super) fn refused(rule: &Rule, until_ms: i64) -> Verdict {
        Verdict {
            admitted: false,
            reason: Reason::Exceeded,
            limit: rule.limit,
            remaining: 0,
            reset_at_ms: until_ms,
        }
    }

    pub(super) fn unavailable(rule: &Rule) -> Verdict {
        Verdict {
            admitted: rule.on_failure == OnFailure::Admit,
            reason: Reason::Unavailable,
            limit: rule.limit,
            remaining: 0,
            reset_at_ms: 0,
        }
    }
}
