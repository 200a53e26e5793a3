//! The foundation of all other layers. Nothing here depends on Redis.

pub mod aws;
pub mod clock;
pub mod config;
pub(crate) mod http_client;
pub mod input;
pub mod json;
pub mod outbound;
pub mod panics;
pub mod secret;
pub mod secrets;
pub mod telemetry;
pub mod trace;
pub mod waker;
