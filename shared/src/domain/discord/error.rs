//! What Discord answers instead, one variant for each thing a job does about it.

use std::time::Duration;

/// A request Discord did not answer with what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too fast; go on after this long. Not to be slept out in a function.
    #[error("Discord asks to wait {} s", .wait.as_secs_f64())]
    RateLimited {
        wait: Duration,
        /// All requests of the bot together were too many.
        global: bool,
        /// It does not count among the requests Discord refused.
        shared: bool,
    },
    /// The address this runs from is shut out, often for what others did.
    #[error("Discord refuses this address for {} s", .0.as_secs())]
    Banned(Duration),
    /// 401: the bot's token is wrong or was reset.
    #[error("Discord refuses the bot's token")]
    Unauthorized,
    #[error("the bot may not see this (Discord code {code})")]
    Forbidden { code: i64 },
    #[error("Discord does not know this (code {code})")]
    NotFound { code: i64 },
    /// Our mistake. A missing permission is none, whatever the status it comes with.
    #[error("Discord refused the request as malformed (status {status}, code {code})")]
    BadRequest { status: u16, code: i64 },
    /// A fault on Discord's side.
    #[error("Discord answered with an error of its own (status {status})")]
    Unavailable { status: u16 },
    /// No reply came.
    #[error("Discord cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The answer is not what the API says; its content is not kept.
    #[error("Discord's answer cannot be read")]
    Malformed,
}
