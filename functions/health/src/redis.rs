//! `GET /api/health/redis`: one PING.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use shared::http::{ApiError, Reply, Request, StatusCode};
use shared::redis::commands::Server as _;
use shared::redis::{Redis, Scope};

use crate::State;

/// A database slower than this is not healthy.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    status: &'static str,
    latency_ms: u64,
    /// What is wrong, without addresses or names.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub async fn check(state: Arc<State>, redis: Redis, _: Request) -> Result<Reply, ApiError> {
    let redis = redis.scoped(Scope {
        deadline: Some(state.clock.deadline(PATIENCE)),
        sync_token: None,
    });
    let started = state.clock.elapsed();
    let answer = redis.ping().await;
    let latency_ms = (state.clock.elapsed() - started).as_millis() as u64;
    Ok(match answer {
        Ok(_) => Reply::ok(&Health {
            status: "healthy",
            latency_ms,
            error: None,
        }),
        Err(error) => {
            let body = Health {
                status: "unhealthy",
                latency_ms,
                error: Some(error.to_string()),
            };
            Reply::json(StatusCode::SERVICE_UNAVAILABLE, &body).with_header("retry-after", "2")
        }
    })
}
