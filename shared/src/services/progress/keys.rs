//! The keys of the events.

use crate::redis::Prefix;

/// Builds the keys of event streams.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// STREAM: the events of a scan.
    pub fn events(&self, scan_id: &str) -> String {
        self.0.key(format_args!("scan:events:{scan_id}"))
    }
}
