//! The local endpoint over HTTP.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod conformance;
mod endpoint;
mod faults;
mod isolation;
mod passthrough;
mod persistence;
mod scripting;
mod strangers;
mod time;
