//! What came of a check.

use super::{OnFailure, Rule};

/// Why a call was admitted or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There was room.
    Counted,
    /// There was none.
    Exceeded,
    /// The caller is on the deny list.
    Denied,
    /// This process saw the caller refused a moment ago.
    Blocked,
    /// Redis did not answer: the rule decided.
    Unavailable,
    /// Nobody was asked: this is how the caller stood a while ago.
    Seen,
}

/// Whether a call goes on, and how its caller stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the call goes on.
    pub admitted: bool,
    /// Why.
    pub reason: Reason,
    /// The limit that applied.
    pub limit: u32,
    /// What is left of the limit; when Redis did not answer, unknown and 0.
    pub remaining: u32,
    /// Unix milliseconds. Of an admitted call: when the whole limit is free again,
    /// should nothing follow. Of a refused one: when it may be admitted. 0 when Redis
    /// did not answer.
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
