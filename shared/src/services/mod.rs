//! What a serverless backend needs from Redis, each service on its own: none imports
//! another, except that [`metrics`] reports what the cache counted.

#[warn(missing_docs)]
pub mod cache;
#[warn(missing_docs)]
pub mod counters;
#[warn(missing_docs)]
pub mod flags;
#[warn(missing_docs)]
pub mod idempotency;
#[warn(missing_docs)]
pub mod lock;
#[warn(missing_docs)]
pub mod metrics;
#[warn(missing_docs)]
pub mod progress;
pub mod queue;
#[warn(missing_docs)]
pub mod rate_limiter;
#[warn(missing_docs)]
pub mod session;
