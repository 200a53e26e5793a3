//! What two of Trawl's functions need. Knows no function.
//!
//! The services ([`redis`], [`queue`], [`progress`], …) hold no connection and keep
//! nothing between invocations. [`http`] is the front door of every route and the
//! one module that knows `lambda_http`.

#[cfg(feature = "aws")]
mod aws;
pub mod cache;
pub mod clock;
pub mod config;
pub mod counters;
pub mod discord;
pub mod flags;
pub mod http;
pub mod idempotency;
pub mod input;
pub mod jobs;
pub mod lock;
pub mod metrics;
pub mod openapi;
pub mod panics;
pub mod progress;
pub mod queue;
pub mod rate_limiter;
pub mod redis;
pub mod scan;
pub mod secrets;
pub mod session;
#[cfg(feature = "parameters")]
pub mod start;
pub mod telemetry;
pub mod trace;
pub mod waker;

/// A client for other HTTP services, made as the product's own are.
///
/// # Errors
/// When there is no TLS.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    redis::http_client().build()
}

/// The same, which trusts the roots in the PEM file `ca_file` too.
///
/// # Errors
/// When there is no certificate in the file.
pub fn http_client_trusting(ca_file: &std::path::Path) -> Result<reqwest::Client, redis::Error> {
    redis::trusting(Some(ca_file))
}
