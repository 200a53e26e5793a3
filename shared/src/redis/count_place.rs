//! A count in a hash field, to be incremented together with other work.

/// A count that another module increments in the same step as its own work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountPlace {
    /// The hash with the counts.
    pub key: String,
    /// The field with the count.
    pub place: String,
    /// How long the key is kept after its first count, in milliseconds.
    pub keep_ms: u64,
}
