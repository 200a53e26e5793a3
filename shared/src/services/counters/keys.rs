//! The keys of counters.

use crate::redis::Prefix;

/// Names counters.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// HASH: the counts of one stretch of time, by their place in it.
    pub fn stretch(&self, name: &str, period: &str, stretch: i64) -> String {
        self.0
            .key(format_args!("counter:{name}:{period}:{stretch}"))
    }
}
