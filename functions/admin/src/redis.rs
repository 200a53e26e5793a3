//! `GET /api/admin/redis/metrics` and `GET /api/admin/redis/stats`.
//!
//! A value that the database does not report is null, not zero.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use shared::http::{Access, ApiError, Context, Reply, Spec};
use shared::openapi::Operation;
use shared::queue::Stats;
use shared::redis::Pipeline;
use shared::redis::commands::keys::scan;
use shared::redis::commands::server::{dbsize, info};
use shared::redis::commands::streams::xlen;

use crate::State;
use crate::info::Info;

pub const METRICS: Spec = Spec::get(
    "/api/admin/redis/metrics",
    "getRedisMetrics",
    "Get metrics of the database",
)
.access(Access::Admin);

pub const STATS: Spec = Spec::get(
    "/api/admin/redis/stats",
    "getRedisStats",
    "Get statistics of the database",
)
.access(Access::Admin);

/// Number of keys in one sample of the keyspace.
const SAMPLE: u32 = 1000;

/// What the database reports about itself.
#[derive(Serialize, JsonSchema)]
struct RedisStats {
    /// Always `true`: without a connection the reply is 503.
    connected: bool,
    /// How many keys there are.
    dbsize: u64,
    /// The reply to INFO.
    info: Info,
    /// The reply to INFO, section `memory`.
    memory: Info,
    /// How many entries the stream has that other programs add jobs to, by its name.
    streams: BTreeMap<String, u64>,
}

/// How the database and the queues are doing.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RedisMetrics")]
struct Metrics {
    /// Always `true`: without a connection the reply is 503.
    connected: bool,
    /// How long the database took to answer, in milliseconds.
    latency_ms: u64,
    /// The memory it uses.
    memory: Option<Memory>,
    /// The share of reads that found their key, 0 to 1.
    hit_rate: Option<f64>,
    /// Commands per second at the moment.
    operations_per_second: Option<f64>,
    /// How many clients are connected.
    connected_clients: Option<u64>,
    /// How long the server has been running, in seconds.
    uptime_seconds: Option<u64>,
    /// How many commands it has run since it started.
    commands_processed: Option<u64>,
    /// The keys, from a sample.
    keyspace: Keyspace,
    /// How many commands the deployment has used this month, and may use.
    command_budget: Budget,
    /// The queues, by their names.
    queues: BTreeMap<String, Stats>,
}

/// How many commands the deployment has used this month, and may use.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CommandBudget")]
struct Budget {
    /// The month in UTC, such as `2026-11`.
    month: String,
    /// How many commands were used, as they are billed. The count is a few per cent too low.
    used: u64,
    /// How many commands the plan allows. `null` if it has no limit.
    limit: Option<u64>,
    /// The share that is used, 0 to 1. `null` if the plan has no limit.
    share: Option<f64>,
}

impl Budget {
    fn new(month: String, used: u64, limit: u64) -> Budget {
        let limit = (limit > 0).then_some(limit);
        Budget {
            month,
            used,
            share: limit.map(|limit| used as f64 / limit as f64),
            limit,
        }
    }
}

/// The memory that the database uses.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RedisMemory")]
struct Memory {
    /// How many bytes are in use.
    used_bytes: u64,
    /// The most bytes that were ever in use.
    peak_bytes: Option<u64>,
    /// How many bytes there are. `null` if there is no limit.
    max_bytes: Option<u64>,
    /// The memory taken from the system, as a multiple of that in use.
    fragmentation_ratio: Option<f64>,
}

/// The keys of the database.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RedisKeyspace")]
struct Keyspace {
    /// How many keys there are.
    keys: u64,
    /// How many of the sampled keys begin with which word after the deployment's prefix.
    by_prefix: BTreeMap<String, u64>,
    /// How many keys were sampled.
    sampled_keys: u64,
    /// Whether every key was sampled.
    complete: bool,
}

pub fn operations() -> Vec<Operation> {
    vec![
        METRICS
            .operation().describe("Returns how the database and the queues are doing. What the database does not report is null. The keyspace is sampled, so that the request costs the same however many keys there are.")
            .reply::<Metrics>(200, "The metrics."),
        STATS
            .operation().describe("Returns what the database reports about itself: its size, its replies to INFO, and the length of the stream that other programs add jobs to.")
            .reply::<RedisStats>(200, "The statistics."),
    ]
}

pub async fn stats(cx: Context<State>) -> Result<Reply, ApiError> {
    let mut pipeline = Pipeline::new();
    let all = pipeline.add(info(""));
    let memory = pipeline.add(info("memory"));
    let size = pipeline.add(dbsize());
    let stream = pipeline.add(xlen(&cx.state.stream));
    let mut replies = pipeline.send(&**cx.redis()).await?;
    Ok(Reply::ok(&RedisStats {
        connected: true,
        dbsize: replies.take(size)?,
        info: Info::parse(&replies.take(all)?),
        memory: Info::parse(&replies.take(memory)?),
        streams: BTreeMap::from([(cx.state.stream.clone(), replies.take(stream)?)]),
    }))
}

pub async fn metrics(cx: Context<State>) -> Result<Reply, ApiError> {
    let mut pipeline = Pipeline::new();
    let all = pipeline.add(info(""));
    let size = pipeline.add(dbsize());
    let page = pipeline.add(scan("0", "*", SAMPLE));
    let used = cx.budget().add_read(&mut pipeline);
    let started = cx.clock().elapsed();
    let mut replies = pipeline.send(&**cx.redis()).await?;
    let latency_ms = (cx.clock().elapsed() - started).as_millis() as u64;
    let info = Info::parse(&replies.take(all)?);
    let keys = replies.take(size)?;
    let (cursor, found) = replies.take(page)?;
    let used = replies.take(used)?.and_then(|used| used.parse().ok());
    let queues = crate::queues::all_stats(&cx).await?.into_iter().collect();
    Ok(Reply::ok(&Metrics {
        connected: true,
        latency_ms,
        memory: memory(&info),
        hit_rate: info.hit_rate(),
        operations_per_second: info.number("instantaneous_ops_per_sec"),
        connected_clients: info.number("connected_clients"),
        uptime_seconds: info.number("uptime_in_seconds"),
        commands_processed: info.number("total_commands_processed"),
        keyspace: Keyspace {
            keys,
            sampled_keys: found.len() as u64,
            by_prefix: by_prefix(&found, cx.key_prefix()),
            complete: cursor == "0",
        },
        command_budget: Budget::new(
            cx.budget().month(),
            used.unwrap_or(0),
            cx.state.command_budget,
        ),
        queues,
    }))
}

fn memory(info: &Info) -> Option<Memory> {
    Some(Memory {
        used_bytes: info.number("used_memory")?,
        peak_bytes: info.number("used_memory_peak"),
        max_bytes: info.number("maxmemory").filter(|bytes| *bytes > 0),
        fragmentation_ratio: info.number("mem_fragmentation_ratio"),
    })
}

fn by_prefix(keys: &[String], prefix: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for key in keys {
        let word = match key.strip_prefix(prefix) {
            Some(rest) => rest.split(':').next().unwrap_or_default(),
            None => "other",
        };
        *counts.entry(word.to_owned()).or_insert(0) += 1;
    }
    counts
}
