//! A count in a field of a hash, to be raised together with other work.

/// What the counters give another module to count in the same step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountPlace {
    /// The hash with the counts.
    pub key: String,
    /// The field.
    pub place: String,
    /// Milliseconds the key is kept from its first count.
    pub keep_ms: u64,
}
