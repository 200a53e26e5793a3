//! The routes as callers see them.

use crate::queues::{Queues, Redriven, Switched};
use crate::redis::{Metrics, RedisStats};
use shared::http::{Access, Method};
use shared::openapi::Operation;

/// One for each route.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/api/admin/redis/metrics",
            Access::Admin,
            "redisMetrics",
            "How the database and the queues are doing.",
        )
        .reply::<Metrics>(200, "Null is what the database does not tell."),
        Operation::new(
            Method::GET,
            "/api/admin/redis/stats",
            Access::Admin,
            "redisStats",
            "What the database tells of itself.",
        )
        .reply::<RedisStats>(200, "As it tells it."),
        Operation::new(
            Method::GET,
            "/api/admin/queues",
            Access::Admin,
            "listQueues",
            "The queues.",
        )
        .reply::<Queues>(200, "Each with its numbers."),
        Operation::new(
            Method::POST,
            "/api/admin/queues/{name}/pause",
            Access::Admin,
            "pauseQueue",
            "Starts no more jobs of a queue.",
        )
        .reply::<Switched>(200, "It is paused.")
        .problems(&[404]),
        Operation::new(
            Method::POST,
            "/api/admin/queues/{name}/resume",
            Access::Admin,
            "resumeQueue",
            "Starts jobs of a queue again.",
        )
        .reply::<Switched>(200, "It is not paused.")
        .problems(&[404]),
        Operation::new(
            Method::POST,
            "/api/admin/queues/{name}/redrive",
            Access::Admin,
            "redriveQueue",
            "Lets all failed jobs of a queue run again.",
        )
        .reply::<Redriven>(200, "They wait.")
        .problems(&[404]),
    ]
}
