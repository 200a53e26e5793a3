//! What a serverless backend needs from Redis. Each service works by itself and imports no
//! other, except that [`metrics`] reports the cache's counts.

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
