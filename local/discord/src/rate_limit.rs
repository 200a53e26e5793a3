//! Discord's rate limit buckets: one per route and channel or guild, counted in fixed
//! windows.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderValue};

use crate::hash::hash;

/// The number of requests allowed per window.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    listing: (u32, Duration),
    enforced: bool,
}

impl Default for RateLimit {
    /// 5 listings per channel in 5 s, as observed on Discord.
    fn default() -> Self {
        Self::per_channel(5, Duration::from_secs(5))
    }
}

impl RateLimit {
    /// This many listings of one channel per window. Other routes have buckets of 50
    /// requests per second.
    pub fn per_channel(limit: u32, window: Duration) -> Self {
        Self {
            listing: (limit, window),
            enforced: true,
        }
    }

    /// Refuses nothing. The headers are still sent and always show remaining requests.
    pub fn off() -> Self {
        Self {
            enforced: false,
            ..Self::default()
        }
    }
}

/// Identifies a bucket: the route and its channel or guild.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BucketKey {
    pub(crate) route: &'static str,
    pub(crate) is_listing: bool,
    pub(crate) major: u64,
}

struct Window {
    began_ms: i64,
    used: u32,
}

/// All buckets of a server.
pub(crate) struct Buckets {
    rate_limit: RateLimit,
    windows: Mutex<HashMap<BucketKey, Window>>,
}

impl Buckets {
    pub(crate) fn new(rate_limit: RateLimit) -> Self {
        Self {
            rate_limit,
            windows: Mutex::default(),
        }
    }

    /// Counts a request. Refused requests are not counted.
    pub(crate) fn take(&self, key: BucketKey, now_ms: i64) -> Decision {
        let (limit, window) = if key.is_listing {
            self.rate_limit.listing
        } else {
            (50, Duration::from_secs(1))
        };
        let window_ms = window.as_millis() as i64;
        let mut decision = Decision {
            allowed: true,
            limit,
            remaining: limit.saturating_sub(1),
            reset_at_ms: now_ms + window_ms,
            reset_after_ms: window_ms,
            route: key.route,
        };
        if !self.rate_limit.enforced {
            return decision;
        }

        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let current = windows.entry(key).or_insert(Window {
            began_ms: now_ms,
            used: 0,
        });
        if now_ms >= current.began_ms + window_ms {
            *current = Window {
                began_ms: now_ms,
                used: 0,
            };
        }
        decision.allowed = current.used < limit;
        current.used = (current.used + 1).min(limit);
        decision.remaining = limit - current.used;
        decision.reset_at_ms = current.began_ms + window_ms;
        decision.reset_after_ms = decision.reset_at_ms - now_ms;
        decision
    }
}

/// A bucket's decision about a request.
pub(crate) struct Decision {
    pub(crate) allowed: bool,
    limit: u32,
    remaining: u32,
    reset_at_ms: i64,
    pub(crate) reset_after_ms: i64,
    route: &'static str,
}

impl Decision {
    /// Writes the `X-RateLimit-*` headers, except those already there.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let fields = [
            ("x-ratelimit-limit", self.limit.to_string()),
            ("x-ratelimit-remaining", self.remaining.to_string()),
            ("x-ratelimit-reset", seconds(self.reset_at_ms)),
            ("x-ratelimit-reset-after", seconds(self.reset_after_ms)),
            ("x-ratelimit-bucket", bucket_hash(self.route)),
        ];
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.entry(name).or_insert(value);
            }
        }
    }
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// An opaque bucket name, the same for all channels, like Discord's.
fn bucket_hash(route: &str) -> String {
    let first = hash(route.as_bytes());
    let second = hash(&first.to_be_bytes());
    format!("{first:016x}{second:016x}")
}
