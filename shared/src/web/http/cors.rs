//! Calls from pages of other origins.
//!
//! An origin named in the settings may call with a session's cookie. With `*` any origin may
//! call, but only with a key: a page that nobody named must not act for whoever is signed
//! in. API Gateway answers preflights where `template.yaml` configures it; elsewhere this
//! module does.
//!
//! The cookie is `SameSite=Strict`: browsers send it only from pages of the same site, such
//! as `app.example.org` for `api.example.org`. Those of them that are not named may not
//! change anything with it.

use lambda_http::http::{Method, StatusCode};

use super::{Caller, Reply, Request};
use crate::config::HttpConfig;

/// What pages may send.
pub const ALLOWED: [&str; 7] = [
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-sync-token",
    "traceparent",
];

/// What pages may read of a reply.
pub const EXPOSED: [&str; 11] = [
    "etag",
    "x-request-id",
    "x-sync-token",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-status",
    "ratelimit",
    "ratelimit-policy",
    "idempotency-replayed",
];

/// The caller's origin, as far as the settings allow it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Named(String),
    Any,
}

impl Origin {
    pub fn of(request: &Request, config: &HttpConfig) -> Option<Origin> {
        let origin = request.header("origin")?;
        let allowed = |word: &str| config.cors_origins.iter().any(|allowed| allowed == word);
        if allowed(origin) {
            return Some(Origin::Named(origin.to_owned()));
        }
        allowed("*").then_some(Origin::Any)
    }

    /// Lets the page read the reply.
    pub fn mark(&self, reply: Reply) -> Reply {
        let reply = reply.with_header("access-control-expose-headers", &EXPOSED.join(", "));
        match self {
            Origin::Named(origin) => reply
                .with_header("access-control-allow-origin", origin)
                .with_header("access-control-allow-credentials", "true")
                .with_header("vary", "origin"),
            Origin::Any => reply.with_header("access-control-allow-origin", "*"),
        }
    }
}

/// The reply that allows a page to use these methods.
pub(super) fn preflight(methods: &[&str]) -> Reply {
    Reply::empty(StatusCode::NO_CONTENT)
        .with_header("access-control-allow-methods", &methods.join(", "))
        .with_header("access-control-allow-headers", &ALLOWED.join(", "))
        .with_header("access-control-max-age", "600")
}

/// Whether a page that nobody named would change something for whoever is signed in. A
/// browser says where a request comes from in `Sec-Fetch-Site`, older ones only in `Origin`.
/// A client that sends neither is no browser, and has nobody else's cookie.
pub(super) fn is_foreign(request: &Request, caller: &Caller, config: &HttpConfig) -> bool {
    let is_change = !matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_change || !matches!(caller, Caller::Session(..)) {
        return false;
    }
    if matches!(Origin::of(request, config), Some(Origin::Named(_))) {
        return false;
    }
    match (request.header("sec-fetch-site"), request.header("origin")) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => !is_own(request, origin),
        (None, None) => false,
    }
}

/// Whether an origin is that of the address the request was sent to.
fn is_own(request: &Request, origin: &str) -> bool {
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == request.header("host")
}
