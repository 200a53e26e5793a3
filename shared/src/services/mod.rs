//! What a serverless backend needs from Redis, each service on its own: none imports
//! another, except that [`metrics`] reports what the cache counted.

pub mod cache;
pub mod counters;
pub mod flags;
pub mod idempotency;
pub mod lock;
pub mod metrics;
pub mod progress;
pub mod queue;
pub mod rate_limiter;
pub mod session;
