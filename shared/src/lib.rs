//! Code shared by two or more of Trawl's functions. This crate never depends on a function.
//!
//! The folders are layers. A file uses its own layer and those above it in this table,
//! never one below. `tests/it/layers` checks this.
//!
//! | layer | content |
//! |---|---|
//! | `base` | the foundation of everything else: [`clock`], [`config`], [`secrets`], [`telemetry`], [`input`] |
//! | [`redis`] | the client of the Upstash REST API |
//! | `services` | what a backend needs from Redis: [`queue`], [`cache`], [`rate_limiter`], [`lock`], [`session`], [`idempotency`], [`progress`], [`counters`], [`flags`], [`metrics`] |
//! | `domain` | clips in Discord channels: [`discord`], [`guild`], [`scan`], [`export`], [`link`], [`jobs`], [`schedules`], [`notices`], [`uploads`], [`chat_export`] |
//! | `web` | what routes need: [`http`], the only module that uses `lambda_http`, and [`openapi`] |
//! | [`start`] | builds all of it from a function's environment |
//!
//! Nothing here holds a connection or keeps state between invocations.
// The examples need an endpoint, and this crate must not depend on one. So the package
// `integration` compiles and runs them.
#![cfg_attr(not(doctest), doc = include_str!("../EXAMPLES.md"))]

#[warn(missing_docs)]
mod base;
mod domain;
#[warn(missing_docs)]
pub mod redis;
#[warn(missing_docs)]
mod services;
pub mod start;
mod web;

pub use base::http_client::{http_client, http_client_trusting};
pub use base::{
    aws, clock, config, input, json, outbound, panics, secret, secrets, telemetry, trace, waker,
};
pub use domain::{
    chat_export, discord, export, guild, jobs, link, media, notices, probe, scan, schedules,
    uploads,
};
pub use services::{
    cache, counters, flags, idempotency, lock, metrics, progress, queue, rate_limiter, session,
};
pub use web::{http, openapi};
