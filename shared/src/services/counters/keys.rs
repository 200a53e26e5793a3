//! The keys of the counters.

use crate::redis::Prefix;

/// Builds the keys of counters.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// HASH: the counts of one stretch of time, by their position in it.
    pub fn stretch(&self, name: &str, period: &str, stretch: i64) -> String {
        self.0
            .key(format_args!("counter:{name}:{period}:{stretch}"))
    }
}
