//! A call that is to be admitted.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::rule::Rule;

/// One call that is to be admitted: by which rule, whose, and how much it weighs. Clones
/// are the same call.
#[derive(Clone, Debug)]
pub struct Check {
    /// The limit it counts under.
    pub rule: Rule,
    /// Who calls; a part of the key.
    pub caller: String,
    /// 1 for most; one above the limit is never admitted.
    pub weight: u32,
    pub(super) id: String,
    pub(super) at_ms: i64,
    /// Whether it was counted and has not been taken back.
    pub(super) is_counted: Arc<AtomicBool>,
}
