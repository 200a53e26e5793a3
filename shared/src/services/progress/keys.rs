//! The keys of the events.

/// Names streams of events.
pub struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Keys {
        Keys {
            prefix: prefix.to_owned(),
        }
    }

    /// STREAM: the events of a scan.
    pub fn events(&self, scan_id: &str) -> String {
        format!("{}scan:events:{scan_id}", self.prefix)
    }
}
