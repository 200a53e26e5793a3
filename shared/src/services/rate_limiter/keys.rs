//! The keys of the limits.

use super::check::Check;
use crate::redis::Prefix;

/// Builds the keys of callers' states.
#[derive(Clone)]
pub struct Keys(pub(super) Prefix);

impl Keys {
    /// STRING: how much of an action's limit a caller has used, as JSON.
    pub(super) fn state(&self, check: &Check) -> String {
        let action = word(check.rule.action);
        self.0
            .key(format_args!("ratelimit:{action}:{}", check.caller))
    }

    /// STRING: how much a caller has used in one fixed window, as a count.
    pub(super) fn window(&self, check: &Check) -> String {
        let window = check.at_ms.div_euclid(check.rule.window_ms());
        format!("{}:{window}", self.state(check))
    }

    /// STRING: the limit that replaces an action's own.
    pub(super) fn limit(&self, action: &str) -> String {
        self.0.key(format_args!("ratelimit:limit:{action}"))
    }

    /// STRING: when the caller's block ends, in unix milliseconds.
    pub(super) fn deny(&self, caller: &str) -> String {
        self.0.key(format_args!("ratelimit:deny:{caller}"))
    }
}

/// An action as part of a key. Its end is unambiguous, and it never equals one of the words
/// above.
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
    fn different_things_never_share_a_key() {
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
