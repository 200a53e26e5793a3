//! A call that asks to be admitted.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::rule::Rule;

/// One call: its rule, its caller and its weight. Clones are the same call.
#[derive(Clone, Debug)]
pub struct Check {
    /// The rule that applies.
    pub rule: Rule,
    /// The caller, which is part of the key.
    pub caller: String,
    /// Usually 1. A weight above the limit is never admitted.
    pub weight: u32,
    pub(super) id: String,
    pub(super) at_ms: i64,
    /// Whether the call was counted and not refunded.
    pub(super) is_counted: Arc<AtomicBool>,
}
