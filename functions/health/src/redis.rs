//! `GET /api/health/redis`: whether the database answers.
//!
//! Anyone may call this route without a key, so its load on the database has to be
//! bounded. Each environment sends one PING and gives everyone the same answer until it
//! is [`FRESH`] old. There is no rate limit, because it would cost more than the answer
//! and would need the database itself.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use shared::http::{Access, ApiError, Context, Reply, Spec, StatusCode};
use shared::openapi::Operation;
use shared::redis::Scope;
use shared::redis::commands::Server as _;
use shared::telemetry;

use crate::State;

pub const CHECK: Spec =
    Spec::get("/api/health/redis", "getRedisHealth", "Check the database").access(Access::Open);

/// A slower database counts as unhealthy.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long an answer is reused.
const FRESH: Duration = Duration::from_secs(10);

/// Whether the database answers.
#[derive(Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RedisHealth")]
struct Health {
    /// `healthy` or `unhealthy`.
    status: &'static str,
    /// How long the database took to answer, in milliseconds.
    latency_ms: u64,
    /// When the database was asked, in unix milliseconds.
    checked_at: i64,
    /// What is wrong, for programs. Present if the database does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'static str>,
    /// What is wrong, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'static str>,
}

/// The latest answer and when it was obtained.
#[derive(Default)]
pub struct Latest(tokio::sync::Mutex<Option<(Duration, Health)>>);

pub fn operations() -> Vec<Operation> {
    vec![
        CHECK
            .operation().describe("Says whether the database answers. Anybody may ask. The answer is up to ten seconds old, since it is shared by all who ask.")
            .reply::<Health>(200, "The database answers.")
            .reply::<Health>(503, "The database does not answer.")
            .header("Retry-After"),
    ]
}

pub async fn check(cx: Context<State>) -> Result<Reply, ApiError> {
    // Held during the request, so that concurrent callers get the same answer.
    let mut latest = cx.state.latest.0.lock().await;
    let now = cx.clock().elapsed();
    let is_fresh = |(at, _): &(Duration, Health)| now.saturating_sub(*at) < FRESH;
    let health = match latest.take().filter(is_fresh) {
        Some((at, health)) => latest.insert((at, health)),
        None => latest.insert((now, ask(&cx).await)),
    };
    let (_, health) = health.clone();
    Ok(match health.error_code {
        None => Reply::ok(&health),
        Some(_) => {
            Reply::json(StatusCode::SERVICE_UNAVAILABLE, &health).with_header("retry-after", "10")
        }
    })
}

async fn ask(cx: &Context<State>) -> Health {
    let clock = cx.clock();
    let redis = cx.redis_without_admission().scoped(Scope {
        deadline: Some(clock.deadline(PATIENCE)),
        sync_token: None,
    });
    let started = clock.elapsed();
    let answer = redis.ping().await;
    let latency_ms = (clock.elapsed() - started).as_millis() as u64;
    if let Err(error) = &answer {
        let error = telemetry::chain(error);
        tracing::warn!(error, "the database health check failed");
    }
    Health {
        status: match answer {
            Ok(_) => "healthy",
            Err(_) => "unhealthy",
        },
        latency_ms,
        checked_at: clock.now_ms(),
        error_code: answer.is_err().then_some("database_unavailable"),
        error_message: answer.is_err().then_some("the database does not answer"),
    }
}
