//! The routes as callers see them.

use serde_json::json;
use shared::counters::{self, Period};

use crate::counters::Counts;
use crate::discord::Resumed;
use crate::flags::{Flags, Shown, Wanted};
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
        Operation::new(
            Method::GET,
            "/api/admin/flags",
            Access::Admin,
            "listFlags",
            "The switches.",
        )
        .reply::<Flags>(200, "Each with its rule."),
        Operation::new(
            Method::GET,
            "/api/admin/flags/{name}",
            Access::Admin,
            "getFlag",
            "A switch.",
        )
        .reply::<Shown>(200, "Its rule.")
        .problems(&[404]),
        Operation::new(
            Method::PUT,
            "/api/admin/flags/{name}",
            Access::Admin,
            "putFlag",
            "Sets a switch; what is left out is off.",
        )
        .body::<Wanted>()
        .reply::<Shown>(200, "Its rule now.")
        .problems(&[404]),
        Operation::new(
            Method::DELETE,
            "/api/admin/discord/pause",
            Access::Admin,
            "resumeDiscord",
            "Lets scans ask Discord again, before the pause they keep is over.",
        )
        .reply::<Resumed>(200, "They may."),
        Operation::new(
            Method::GET,
            "/api/admin/counters",
            Access::Admin,
            "readCounter",
            "What was counted, by minute, hour or day.",
        )
        .required_query(
            "name",
            "Which counter.",
            json!({ "type": "string", "enum": counters::ALL }),
        )
        .query(
            "period",
            "How finely.",
            json!({ "type": "string", "enum": Period::ALL.map(Period::name), "default": "hour" }),
        )
        .query(
            "n",
            "How many of the last; a period has so many as are kept.",
            json!({ "type": "integer", "minimum": 1, "maximum": 180, "default": 24 }),
        )
        .reply::<Counts>(200, "Oldest first."),
    ]
}
