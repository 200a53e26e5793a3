//! The harness: the whole system in one process, on ports of its own, with a clock
//! that stands still until a test moves it.

#![allow(clippy::unwrap_used)]

mod app;
mod example;
mod handlers;
pub mod history;
pub mod lambda;
mod leftovers;
mod reply;
pub mod sim;
pub mod ssm;

pub use app::{Options, TestApp, generous_limits};
pub use example::example;
pub use handlers::{Script, Scripted, clock_moves_keys, queue_on, start_endpoint};
pub use reply::Reply;

/// When every test begins: 2026-11-21, in unix milliseconds.
pub const START_MS: i64 = 1_795_219_200_000;

/// What the processes of `node` share.
pub const NODE_TOKEN: &str = "node-token";

/// The lease of a job in a `node`: short, since its end is waited for in real time.
pub const NODE_LEASE: std::time::Duration = std::time::Duration::from_millis(1500);
