//! `GET /api/admin/redis/metrics` and `GET /api/admin/redis/stats`.
//!
//! What the database does not report is null, not zero.

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
    "How the database and the queues are doing.",
)
.access(Access::Admin);

pub const STATS: Spec = Spec::get(
    "/api/admin/redis/stats",
    "getRedisStats",
    "What the database reports of itself.",
)
.access(Access::Admin);

/// Keys one look at the keyspace asks for.
const SAMPLE: u32 = 1000;

#[derive(Serialize, JsonSchema)]
struct RedisStats {
    connected: bool,
    dbsize: u64,
    info: Info,
    memory: Info,
    /// Entries of the stream other programs leave jobs in.
    streams: BTreeMap<String, u64>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RedisMetrics")]
struct Metrics {
    connected: bool,
    latency_ms: u64,
    memory: Option<Memory>,
    hit_rate: Option<f64>,
    operations_per_second: Option<f64>,
    connected_clients: Option<u64>,
    uptime_seconds: Option<u64>,
    /// Commands since the server started.
    commands_processed: Option<u64>,
    keyspace: Keyspace,
    command_budget: Budget,
    queues: BTreeMap<String, Stats>,
}

/// This deployment's commands against its plan.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CommandBudget")]
struct Budget {
    /// In UTC, as `2026-11`.
    month: String,
    /// As billed; some per cent too low.
    used: u64,
    /// None when the plan has no limit.
    limit: Option<u64>,
    /// The part that is used, 0 to 1.
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

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RedisMemory")]
struct Memory {
    used_bytes: u64,
    peak_bytes: Option<u64>,
    /// None when there is no limit.
    max_bytes: Option<u64>,
    fragmentation_ratio: Option<f64>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RedisKeyspace")]
struct Keyspace {
    keys: u64,
    /// Among those looked at, by the first word after the deployment's prefix.
    by_prefix: BTreeMap<String, u64>,
    looked_at: u64,
    /// Whether those are all.
    complete: bool,
}

pub fn operations() -> Vec<Operation> {
    vec![
        METRICS
            .operation()
            .reply::<Metrics>(200, "What the database does not report is null."),
        STATS
            .operation()
            .reply::<RedisStats>(200, "As the database reports it."),
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
    let mut queues = BTreeMap::new();
    for queue in cx.queues() {
        let stats = queue.stats().await?;
        queues.insert(queue.keys().queue.clone(), stats);
    }
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
            looked_at: found.len() as u64,
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
