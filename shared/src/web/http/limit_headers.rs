//! The headers of the rate limit, on every reply.

use super::Reply;
use crate::rate_limiter::{RateLimiter, Reason, Rule, Verdict};

/// Adds the headers to a reply. A request that was not counted, such as one refused for its
/// form, gets what this process last knew of its caller: it has used nothing up, and is no
/// reason to ask Redis.
pub(super) fn add_limit_headers(
    reply: Reply,
    limiter: &RateLimiter,
    rule: &Rule,
    caller: &str,
    verdict: Option<Verdict>,
    now_ms: i64,
) -> Reply {
    let is_unknown = verdict
        .as_ref()
        .is_some_and(|verdict| verdict.reason == Reason::Unavailable);
    let verdict = verdict
        .filter(|_| !is_unknown)
        .unwrap_or_else(|| limiter.last_seen(rule, caller));
    let Verdict {
        limit,
        remaining,
        reset_at_ms,
        ..
    } = verdict;
    let (name, window) = (rule.action, rule.window.as_secs());
    let left_secs = (reset_at_ms - now_ms).max(0).unsigned_abs().div_ceil(1000);
    // A window is counted in parts and ends with its last part, a little after the window. The
    // draft of `RateLimit` allows no more than the window.
    let left_secs = left_secs.min(window);
    let reply = reply
        .with_header("x-ratelimit-limit", &limit.to_string())
        .with_header("x-ratelimit-remaining", &remaining.to_string())
        .with_header("x-ratelimit-reset", &reset_at_ms.to_string())
        .with_header(
            "ratelimit-policy",
            &format!("\"{name}\";q={limit};w={window}"),
        )
        .with_header(
            "ratelimit",
            &format!("\"{name}\";r={remaining};t={left_secs}"),
        );
    if is_unknown {
        return reply.with_header("x-ratelimit-status", "unavailable");
    }
    reply
}
