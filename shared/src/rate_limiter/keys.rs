//! The keys of the limits.

use super::Check;

/// Names what is kept of callers.
pub struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Keys {
        Keys {
            prefix: prefix.to_owned(),
        }
    }

    /// STRING: what a caller has used of an action, JSON.
    pub(super) fn state(&self, check: &Check) -> String {
        format!(
            "{}ratelimit:{}:{}",
            self.prefix, check.rule.action, check.caller
        )
    }

    /// STRING: what a caller has used in one window of the clock, a count.
    pub(super) fn window(&self, check: &Check) -> String {
        let window = check.at_ms.div_euclid(check.rule.window_ms());
        format!("{}:{window}", self.state(check))
    }

    /// STRING: the limit in the place of an action's own.
    pub(super) fn limit(&self, action: &str) -> String {
        format!("{}ratelimit:limit:{action}", self.prefix)
    }

    /// STRING: until when a caller is denied, unix milliseconds.
    pub(super) fn deny(&self, caller: &str) -> String {
        format!("{}ratelimit:deny:{caller}", self.prefix)
    }
}
