//! The kinds of requests, each with a limit of its own.

use lambda_http::http::Method;

use crate::config::LimitsConfig;
use crate::rate_limiter::Rule;

/// Each has a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Every GET.
    Read,
    /// Every other change.
    Api,
    /// Jobs for single messages.
    Message,
    /// Signing in.
    Login,
    /// Exports.
    Export,
    /// Beginning an upload.
    Upload,
}

impl Action {
    /// The kind of a request whose route is not known.
    pub(super) fn of(method: &Method) -> Action {
        if matches!(*method, Method::GET | Method::HEAD) {
            Action::Read
        } else {
            Action::Api
        }
    }

    /// Signing in is refused when the limit cannot be checked: an outage must not help
    /// somebody who guesses keys.
    pub(super) fn rule(self, limits: &LimitsConfig) -> Rule {
        let (name, limit) = match self {
            Action::Read => ("read", limits.read),
            Action::Api => ("api", limits.api),
            Action::Message => ("message", limits.message),
            Action::Login => ("login", limits.login),
            Action::Export => ("export", limits.export),
            Action::Upload => ("upload", limits.upload),
        };
        let rule = Rule::new(name, limit.calls, limit.window);
        match self {
            Action::Read | Action::Api | Action::Message | Action::Export | Action::Upload => rule,
            Action::Login => rule.or_refuse(),
        }
    }
}
