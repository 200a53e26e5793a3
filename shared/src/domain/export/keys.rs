//! The keys of exports.

use crate::redis::Prefix;

/// Names the parts of exports.
#[derive(Clone)]
pub(super) struct Keys(pub Prefix);

impl Keys {
    /// STRING: a part, as the run with this fence wrote it.
    pub fn part(&self, export_id: &str, fence: u64, n: u64) -> String {
        let key = format_args!("export:part:{export_id}:{fence}:{n}");
        self.0.key(key)
    }
}
