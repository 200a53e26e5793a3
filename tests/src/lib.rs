//! The test harness: the whole system in one process, on its own ports, with a clock that
//! stands still until a test moves it.

#![allow(clippy::unwrap_used)]

mod app;
mod document;
mod example;
mod handlers;
pub mod history;
pub mod lambda;
mod leftovers;
pub mod media;
mod reply;
pub mod schema;
pub mod sim;
pub mod ssm;

pub use app::{Options, TestApp, generous_limits};
pub use example::example;
pub use handlers::{Script, Scripted, clock_moves_keys, queue_on, start_endpoint};
pub use reply::Reply;

/// When every test starts: 2026-11-21, in Unix milliseconds.
pub const START_MS: i64 = 1_795_219_200_000;

/// The token that all `node` processes share.
pub const NODE_TOKEN: &str = "node-token";

/// The lease of a job in a `node`. It is short, because tests wait for its end in real
/// time.
pub const NODE_LEASE: std::time::Duration = std::time::Duration::from_millis(1500);
