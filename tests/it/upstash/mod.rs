//! The local endpoint, through real HTTP.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod compat;
mod endpoint;
mod faults;
mod http;
mod persistence;
mod scripting;
mod time;
mod transactions;
mod transcript;
