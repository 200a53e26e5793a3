//! The keys of the limits.

use super::check::Check;
use crate::redis::Prefix;

/// Names what is kept of callers.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// STRING: what a caller has used of an action, JSON.
    pub(super) fn state(&self, check: &Check) -> String {
        let action = word(check.rule.action);
        self.0
            .key(format_args!("ratelimit:{action}:{}", check.caller))
    }

    /// STRING: what a caller has used in one window of the clock, a count.
    pub(super) fn window(&self, check: &Check) -> String {
        let window = check.at_ms.div_euclid(check.rule.window_ms());
        format!("{}:{window}", self.state(check))
    }

    /// STRING: the limit in the place of an action's own.
    pub(super) fn limit(&self, action: &str) -> String {
        self.0.key(format_args!("ratelimit:limit:{action}"))
    }

    /// STRING: until when a caller is denied, unix milliseconds.
    pub(super) fn deny(&self, caller: &str) -> String {
        self.0.key(format_args!("ratelimit:deny:{caller}"))
    }
}

/// An action as a part of a key. Where it ends cannot be mistaken, and none is taken for
/// the words above.
fn word(action: &str) -> String {
    match action {
        "limit" | "deny" => format!("%{action}"),
        _ => action.replace('%', "%25").replace(':', "%3A"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_things_have_one_key() {
        let actions = ["read", "limit", "deny", "%limit", "a:b", "a%3Ab", "a"];
        let mut words = actions.map(word);
        words.sort();
        assert!(words.windows(2).all(|pair| pair[0] != pair[1]), "{words:?}");
        for word in words {
            assert!(
                !["limit", "deny"].contains(&word.as_str()) && !word.contains(':'),
                "{word}"
            );
        }
    }
}
