//! Many processes on one queue that are killed at random, and the history they record.
//!
//! Each process writes a log line before and after every request to the queue and every
//! run of a job. Afterwards, the logs and the database are checked against the guarantees
//! of the queue ([`check`]).
//!
//! | phase | meaning |
//! |---|---|
//! | invoke | the request or the run is about to start |
//! | ok | the request was answered, or the run has an outcome |
//! | fail | it was certainly not done |
//! | info | it is unknown whether it was done |

pub mod check;
pub mod crowd;
mod intervals;
pub mod log;
mod witness;
pub mod worker;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::clock::Clock;
use shared::config::{Provider, QueueConfig, RedisConfig};
use shared::queue::Queue;
use shared::redis::Redis;

use crate::NODE_TOKEN;

/// Jobs of one group that may run concurrently.
pub const GROUP_LIMIT: u32 = 2;

/// Total number of jobs that may run concurrently.
pub const ACTIVE_LIMIT: u64 = 10;

/// Short, because tests wait for its end in real time.
pub const LEASE: Duration = Duration::from_millis(1500);

/// A line of a log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Unix milliseconds.
    pub at: i64,
    pub process: String,
    pub phase: Phase,
    #[serde(flatten)]
    pub event: Event,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Invoke,
    Ok,
    Fail,
    Info,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "op")]
pub enum Event {
    Enqueue {
        id: String,
        run_at: i64,
        group: Option<String>,
    },
    /// A round as it is sent: number `n` of its process.
    Tick {
        n: u64,
        now: i64,
        token: String,
        settle: Vec<Outcome>,
        renew: Vec<(String, u64)>,
    },
    /// The result of the round.
    Ticked {
        n: u64,
        settled: Vec<String>,
        renewed: Vec<String>,
        claimed: Vec<(String, u64)>,
    },
    Run {
        id: String,
        fence: u64,
        outcome: Option<String>,
    },
}

/// An outcome as a round reports it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    pub id: String,
    pub fence: u64,
    pub outcome: String,
    pub run_at: Option<i64>,
}

/// The Redis client for all of them.
///
/// # Errors
/// If `url` is invalid.
pub fn redis(url: &str, clock: &Clock) -> Result<Redis, shared::redis::Error> {
    let config = RedisConfig {
        provider: Provider::Local,
        url: url.to_owned(),
        token: NODE_TOKEN.into(),
        key_prefix: "trawl:".to_owned(),
        ca_file: None,
    };
    shared::redis::connect(&config, clock)
}

/// The queue that all of them share.
pub fn queue(redis: Redis, clock: &Clock) -> Queue {
    let config = QueueConfig {
        lease: LEASE,
        concurrency: 4,
        active_limit: Some(ACTIVE_LIMIT),
        group_limit: Some(GROUP_LIMIT),
        linger: Duration::from_millis(200),
        coalesce: Duration::from_millis(5),
        completed_count: u64::MAX >> 12,
        ..QueueConfig::default()
    };
    Queue::new(redis, "trawl:", "crowd", clock.clone(), config)
}
