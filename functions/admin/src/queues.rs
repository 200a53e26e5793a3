//! `GET /api/admin/queues` and `POST /api/admin/queues/{name}/pause|resume|redrive`.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use shared::http::{ApiError, Reply, Request};
use shared::queue::{Queue, Stats};
use shared::redis::Redis;

use crate::State;

#[derive(Serialize)]
struct Queues {
    queues: Vec<Named>,
}

#[derive(Serialize)]
struct Named {
    name: String,
    #[serde(flatten)]
    stats: Stats,
}

pub async fn list(state: Arc<State>, redis: Redis, _: Request) -> Result<Reply, ApiError> {
    let mut queues = Vec::with_capacity(state.queues.len());
    for queue in &state.queues {
        queues.push(Named {
            name: queue.keys().queue.clone(),
            stats: queue.on(&redis).stats().await?,
        });
    }
    Ok(Reply::ok(&Queues { queues }))
}

pub async fn pause(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let queue = named(&state, &redis, &request)?;
    queue.pause().await?;
    Ok(Reply::ok(
        &json!({ "name": queue.keys().queue, "paused": true }),
    ))
}

pub async fn resume(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let queue = named(&state, &redis, &request)?;
    queue.resume().await?;
    Ok(Reply::ok(
        &json!({ "name": queue.keys().queue, "paused": false }),
    ))
}

/// Lets every failed job run again.
pub async fn redrive(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let queue = named(&state, &redis, &request)?;
    let redriven = queue.redrive_all().await?;
    Ok(Reply::ok(
        &json!({ "name": queue.keys().queue, "redriven": redriven }),
    ))
}

fn named(state: &State, redis: &Redis, request: &Request) -> Result<Queue, ApiError> {
    let name = request.path_parameter("name");
    let mut queues = state.queues.iter();
    let found = queues.find(|queue| queue.keys().queue == name);
    let unknown = || ApiError::not_found("there is no queue of this name");
    Ok(found.ok_or_else(unknown)?.on(redis))
}
