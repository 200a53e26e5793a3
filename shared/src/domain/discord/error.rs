//! Errors of Discord requests, one variant for each way in which jobs react.

use std::time::Duration;

/// Why Discord did not return what was requested.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too many requests; retry after this time. Functions must not sleep that long.
    #[error("Discord's rate limit was reached; retry in {} s", .wait.as_secs_f64())]
    RateLimited {
        wait: Duration,
        /// Whether the limit applies to all requests of the bot together.
        global: bool,
        /// Whether the limit is shared with others, so that the refusal does not count
        /// against the bot.
        shared: bool,
    },
    /// The IP address is blocked, often because of other programs on it.
    #[error("Discord has blocked this IP address for {} s", .0.as_secs())]
    Banned(Duration),
    /// 401: the bot token is invalid or was reset.
    #[error("Discord rejected the bot token")]
    Unauthorized,
    #[error("the bot lacks permission (Discord code {code})")]
    Forbidden { code: i64 },
    #[error("not found on Discord (code {code})")]
    NotFound { code: i64 },
    /// A bug in Trawl. A missing permission never ends up here, whatever its status.
    #[error("Discord rejected the request as malformed (status {status}, code {code})")]
    BadRequest { status: u16, code: i64 },
    /// A fault on Discord's side.
    #[error("Discord failed with status {status}")]
    Unavailable { status: u16 },
    /// No reply came.
    #[error("Discord cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The answer does not match the API. Its content is not kept.
    #[error("Discord's answer is malformed")]
    Malformed,
}
