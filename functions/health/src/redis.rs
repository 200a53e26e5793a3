//! `GET /api/health/redis`: whether the database answers.
//!
//! Anybody may ask, so what they make the database do is bounded for all of them together:
//! an environment asks it once, with one PING, and gives that answer to everybody until it
//! is [`FRESH`] old.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use shared::http::{ApiError, Reply, Request, StatusCode};
use shared::redis::commands::Server as _;
use shared::redis::{Redis, Scope};
use shared::telemetry;

use crate::State;

/// A database slower than this is not healthy.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long an answer is given out.
const FRESH: Duration = Duration::from_secs(10);

#[derive(Clone, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    status: &'static str,
    latency_ms: u64,
    /// When the database was asked, in unix milliseconds: up to ten seconds ago.
    checked_at: i64,
    /// What is wrong; what the cause is, the log tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// The newest answer, and when it was had.
pub(crate) type Newest = tokio::sync::Mutex<Option<(Duration, Health)>>;

pub async fn check(state: Arc<State>, _: Redis, _: Request) -> Result<Reply, ApiError> {
    // Held while the database is asked: whoever comes meanwhile takes the same answer.
    let mut newest = state.newest.lock().await;
    let now = state.clock.elapsed();
    let is_fresh = |(at, _): &(Duration, Health)| now.saturating_sub(*at) < FRESH;
    let health = match newest.take().filter(is_fresh) {
        Some((at, health)) => newest.insert((at, health)),
        None => newest.insert((now, ask(&state).await)),
    };
    let (_, health) = health.clone();
    Ok(match health.error {
        None => Reply::ok(&health),
        Some(_) => {
            Reply::json(StatusCode::SERVICE_UNAVAILABLE, &health).with_header("retry-after", "10")
        }
    })
}

async fn ask(state: &State) -> Health {
    let redis = state.redis.scoped(Scope {
        deadline: Some(state.clock.deadline(PATIENCE)),
        sync_token: None,
    });
    let started = state.clock.elapsed();
    let answer = redis.ping().await;
    let latency_ms = (state.clock.elapsed() - started).as_millis() as u64;
    let error = answer.err().map(|error| {
        let error = telemetry::chain(&error);
        tracing::warn!(error, "the database is not healthy");
        "the database does not answer"
    });
    Health {
        status: if error.is_none() {
            "healthy"
        } else {
            "unhealthy"
        },
        latency_ms,
        checked_at: state.clock.now_ms(),
        error,
    }
}
