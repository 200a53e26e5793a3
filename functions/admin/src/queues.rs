//! `GET /api/admin/queues` and `POST /api/admin/queues/{name}/pause|resume|redrive`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{Access, ApiError, Context, ErrorCode, Reply, Spec};
use shared::openapi::Operation;
use shared::queue::{Queue, Stats};

use crate::State;

pub const LIST: Spec =
    Spec::get("/api/admin/queues", "listQueues", "List queues").access(Access::Admin);

pub const PAUSE: Spec<OneQueue> = Spec::post(
    "/api/admin/queues/{name}/pause",
    "pauseQueue",
    "Pause a queue",
)
.access(Access::Admin);

pub const RESUME: Spec<OneQueue> = Spec::post(
    "/api/admin/queues/{name}/resume",
    "resumeQueue",
    "Resume a queue",
)
.access(Access::Admin);

pub const REDRIVE: Spec<OneQueue> = Spec::post(
    "/api/admin/queues/{name}/redrive",
    "redriveQueue",
    "Retry a queue's failed jobs",
)
.access(Access::Admin);

#[derive(Deserialize, JsonSchema)]
pub struct OneQueue {
    /// The name of the queue.
    name: String,
}

/// The queues.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QueueList")]
struct Queues {
    /// Each queue with its numbers.
    queues: Vec<Named>,
}

/// A queue and how it is doing.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Queue")]
struct Named {
    /// The name of the queue.
    name: String,
    #[serde(flatten)]
    stats: Stats,
}

/// Whether a queue is paused.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QueueState")]
struct Switched {
    /// The name of the queue.
    name: String,
    /// Whether it is paused, so that no job is started.
    paused: bool,
}

/// How many jobs of a queue run again.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RedrivenQueue")]
struct Redriven {
    /// The name of the queue.
    name: String,
    /// How many failed jobs wait to run again.
    redriven: u64,
}

pub fn operations() -> Vec<Operation> {
    vec![
        LIST.operation().describe("Lists the queues with how many jobs each holds, how fast it works, and how many jobs failed.")
            .reply::<Queues>(200, "The queues."),
        PAUSE
            .operation().describe("Stops a queue from starting jobs. Jobs that run are finished; new jobs are still taken and wait.")
            .reply::<Switched>(200, "The queue is paused.")
            .problems(&[404]),
        RESUME
            .operation().describe("Lets a paused queue start jobs again.")
            .reply::<Switched>(200, "The queue is not paused.")
            .problems(&[404]),
        REDRIVE
            .operation().describe("Puts all failed jobs of a queue back into it. Their attempts are counted anew.")
            .reply::<Redriven>(200, "The jobs wait to run again.")
            .problems(&[404]),
    ]
}

pub async fn list(cx: Context<State>) -> Result<Reply, ApiError> {
    let stats = all_stats(&cx).await?;
    let queues = stats.into_iter().map(|(name, stats)| Named { name, stats });
    let queues = queues.collect();
    Ok(Reply::ok(&Queues { queues }))
}

/// How each queue is doing, by its name, in one request to the database.
pub async fn all_stats(cx: &Context<State>) -> Result<Vec<(String, Stats)>, ApiError> {
    let queues = cx.queues();
    let stats = Queue::stats_of(&queues).await?;
    let names = queues.iter().map(|queue| queue.keys().queue.clone());
    Ok(names.zip(stats).collect())
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

/// Makes every failed job run again.
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
    let detail = "there is no queue with this name";
    found.ok_or_else(|| ApiError::new(ErrorCode::QueueNotFound, detail))
}
