//! `GET /api/admin/queues` and `POST /api/admin/queues/{name}/pause|resume|redrive`.

use std::sync::Arc;

use serde::Serialize;
use shared::http::{ApiError, Reply, Request};
use shared::queue::{Queue, Stats};
use shared::redis::Redis;

use crate::State;

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Queues {
    queues: Vec<Named>,
}

#[derive(Serialize, schemars::JsonSchema)]
struct Named {
    name: String,
    #[serde(flatten)]
    stats: Stats,
}

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Switched {
    name: String,
    paused: bool,
}

#[derive(Serialize, schemars::JsonSchema)]
pub(crate) struct Redriven {
    name: String,
    /// Jobs that run again.
    redriven: u64,
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
    Ok(switched(&queue, true))
}

pub async fn resume(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let queue = named(&state, &redis, &request)?;
    queue.resume().await?;
    Ok(switched(&queue, false))
}

/// Lets every failed job run again.
pub async fn redrive(state: Arc<State>, redis: Redis, request: Request) -> Result<Reply, ApiError> {
    let queue = named(&state, &redis, &request)?;
    let redriven = queue.redrive_all().await?;
    let name = queue.keys().queue.clone();
    Ok(Reply::ok(&Redriven { name, redriven }))
}

fn switched(queue: &Queue, paused: bool) -> Reply {
    let name = queue.keys().queue.clone();
    Reply::ok(&Switched { name, paused })
}

fn named(state: &State, redis: &Redis, request: &Request) -> Result<Queue, ApiError> {
    let name = request.path_parameter("name");
    let mut queues = state.queues.iter();
    let found = queues.find(|queue| queue.keys().queue == name);
    let unknown = || ApiError::not_found("there is no queue of this name");
    Ok(found.ok_or_else(unknown)?.on(redis))
}
