//! Runs the conformance cases against any endpoint.
//!
//! ```text
//! cargo run -p upstash-local --example conformance
//! cargo run -p upstash-local --example conformance -- --target redis://127.0.0.1:6399
//! UPSTASH_REDIS_REST_URL=https://… UPSTASH_REDIS_REST_TOKEN=… \
//!     cargo run -p upstash-local --example conformance -- --service
//! ```
//!
//! On a real Redis, two databases are flushed: the one in the address and the next. Use a
//! server without other data. On the hosted service, only keys under a random prefix are
//! written, and they are deleted afterwards; a run costs about 650 commands.
#![allow(clippy::unwrap_used, reason = "cases are tests")]

#[path = "../../../tests/it/upstash/conformance/mod.rs"]
mod conformance;

use std::any::Any;

use anyhow::{Context, bail};
use clap::Parser;
use conformance::{Case, Endpoint, Target};
use upstash_local::Options;

#[derive(Parser)]
struct Arguments {
    /// Endpoint to test: `embedded`, `redis://…`, or the `http(s)://…` of an endpoint.
    #[arg(long, default_value = "embedded")]
    target: String,
    /// Test the endpoint that the environment names.
    #[arg(long, conflicts_with = "target", requires = "url")]
    service: bool,
    #[arg(long, env = "UPSTASH_REDIS_REST_URL", hide = true)]
    url: Option<String>,
    /// Token for an `http(s)://…` target.
    #[arg(long, env = "UPSTASH_REDIS_REST_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Run only the cases whose names contain this.
    filter: Option<String>,
}

impl Arguments {
    fn target(&self) -> anyhow::Result<Target> {
        let address = match &self.url {
            Some(url) if self.service => url,
            _ => &self.target,
        };
        if address == "embedded" {
            return Ok(Target::Embedded);
        }
        if address.starts_with("http://") || address.starts_with("https://") {
            return Ok(Target::Service {
                url: address.clone(),
                token: self
                    .token
                    .clone()
                    .context("an http(s) target needs a token")?,
            });
        }
        let url = address.parse();
        Ok(Target::Redis(url.context("the target is not a valid URL")?))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let target = arguments.target()?;
    let (mut n_passed, mut n_skipped, mut n_failed) = (0, 0, 0);
    for (family, case) in conformance::all() {
        let name = format!("{family}::{}", case.name);
        if let Some(filter) = &arguments.filter
            && !name.contains(filter.as_str())
        {
            continue;
        }
        if let Some(reason) = case.obstacle(&target) {
            n_skipped += 1;
            println!("skipped  {name}: {reason}");
            continue;
        }
        match check(&target, *case).await {
            Ok(()) => {
                n_passed += 1;
                println!("ok       {name}");
            }
            Err(reason) => {
                n_failed += 1;
                println!("FAILED   {name}\n{reason}");
            }
        }
    }
    println!("{n_passed} passed, {n_skipped} skipped, {n_failed} failed");
    match n_failed {
        0 if n_passed > 0 => Ok(()),
        0 => bail!("no case matches"),
        _ => bail!("the target failed some cases"),
    }
}

/// Runs one case. A panic is its failure message. Its keys are removed in either case.
async fn check(target: &Target, case: Case) -> Result<(), String> {
    let target = target.clone();
    let opening = tokio::spawn(async move { Endpoint::open(&target, Options::default()).await });
    let endpoint = std::sync::Arc::new(opening.await.map_err(reason)?);
    let shared = std::sync::Arc::clone(&endpoint);
    let outcome = tokio::spawn(async move { (case.run)(&shared).await }).await;
    let closing = tokio::spawn(async move {
        if let Ok(endpoint) = std::sync::Arc::try_unwrap(endpoint) {
            endpoint.close().await;
        }
    });
    outcome.map_err(reason)?;
    closing.await.map_err(reason)
}

fn reason(error: tokio::task::JoinError) -> String {
    let payload: Box<dyn Any + Send> = match error.try_into_panic() {
        Ok(payload) => payload,
        Err(error) => return error.to_string(),
    };
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| {
        payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
    });
    text.unwrap_or_else(|| "it panicked".to_owned())
}
