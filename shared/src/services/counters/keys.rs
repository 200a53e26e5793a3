//! The keys of counters.

/// Names counters.
pub struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Keys {
        Keys {
            prefix: prefix.to_owned(),
        }
    }

    /// HASH: the counts of one stretch of time, by their place in it.
    pub fn stretch(&self, name: &str, period: &str, stretch: i64) -> String {
        format!("{}counter:{name}:{period}:{stretch}", self.prefix)
    }
}
