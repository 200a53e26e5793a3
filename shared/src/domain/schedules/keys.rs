//! The keys of schedules.

use crate::redis::Prefix;

/// Names the keys of schedules.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// HASH: `{guild}` or `{guild}:{channel}` → schedule, JSON.
    pub fn rules(&self) -> String {
        self.0.key("schedule:rules")
    }

    /// ZSET: `{guild}@{revision}` or `{guild}:{channel}@{revision}` by the next slot.
    pub fn due(&self) -> String {
        self.0.key("schedule:due")
    }
}
