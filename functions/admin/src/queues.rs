//! `GET /api/admin/queues` and `POST /api/admin/queues/{name}/pause|resume|redrive`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{Access, ApiError, Context, Reply, Spec};
use shared::openapi::Operation;
use shared::queue::{Queue, Stats};

use crate::State;

pub const LIST: Spec =
    Spec::get("/api/admin/queues", "listQueues", "The queues.").access(Access::Admin);

pub const PAUSE: Spec<OneQueue> = Spec::post(
    "/api/admin/queues/{name}/pause",
    "pauseQueue",
    "Starts no more jobs of a queue.",
)
.access(Access::Admin);

pub const RESUME: Spec<OneQueue> = Spec::post(
    "/api/admin/queues/{name}/resume",
    "resumeQueue",
    "Starts jobs of a queue again.",
)
.access(Access::Admin);

pub const REDRIVE: Spec<OneQueue> = Spec::post(
    "/api/admin/queues/{name}/redrive",
    "redriveQueue",
    "Lets all failed jobs of a queue run again.",
)
.access(Access::Admin);

#[derive(Deserialize, JsonSchema)]
pub struct OneQueue {
    name: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QueueList")]
struct Queues {
    queues: Vec<Named>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Queue")]
struct Named {
    name: String,
    #[serde(flatten)]
    stats: Stats,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QueueState")]
struct Switched {
    name: String,
    paused: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RedrivenQueue")]
struct Redriven {
    name: String,
    /// Jobs that run again.
    redriven: u64,
}

pub fn operations() -> Vec<Operation> {
    vec![
        LIST.operation()
            .reply::<Queues>(200, "Each with its numbers."),
        PAUSE
            .operation()
            .reply::<Switched>(200, "The queue is paused.")
            .problems(&[404]),
        RESUME
            .operation()
            .reply::<Switched>(200, "The queue is not paused.")
            .problems(&[404]),
        REDRIVE
            .operation()
            .reply::<Redriven>(200, "The jobs wait to run.")
            .problems(&[404]),
    ]
}

pub async fn list(cx: Context<State>) -> Result<Reply, ApiError> {
    let mut queues = Vec::new();
    for queue in cx.queues() {
        queues.push(Named {
            name: queue.keys().queue.clone(),
            stats: queue.stats().await?,
        });
    }
    Ok(Reply::ok(&Queues { queues }))
}

pub async fn pause(cx: Context<State, OneQueue>) -> Result<Reply, ApiError> {
    let queue = known(&cx)?;
    queue.pause().await?;
    Ok(switched(&queue, true))
}

pub async fn resume(cx: Context<State, OneQueue>) -> Result<Reply, ApiError> {
    let queue = known(&cx)?;
    queue.resume().await?;
    Ok(switched(&queue, false))
}

/// Lets every failed job run again.
pub async fn redrive(cx: Context<State, OneQueue>) -> Result<Reply, ApiError> {
    let queue = known(&cx)?;
    let redriven = queue.redrive_all().await?;
    let name = queue.keys().queue.clone();
    Ok(Reply::ok(&Redriven { name, redriven }))
}

fn switched(queue: &Queue, paused: bool) -> Reply {
    let name = queue.keys().queue.clone();
    Reply::ok(&Switched { name, paused })
}

fn known(cx: &Context<State, OneQueue>) -> Result<Queue, ApiError> {
    let mut queues = cx.queues().into_iter();
    let found = queues.find(|queue| queue.keys().queue == cx.path.name);
    found.ok_or_else(|| ApiError::not_found("there is no queue of this name"))
}
