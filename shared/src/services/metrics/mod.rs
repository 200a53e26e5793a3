//! Metrics for CloudWatch, written to the log in its embedded metric format. This needs no
//! call, no agent, and no work after the reply.
//!
//! Each invocation writes one line, in the namespace `Trawl`. Each metric has the
//! dimensions `Stage` and `Function`, and a second time `Stage` alone. Values without a
//! fixed range, such as ids, are never dimensions.
//!
//! | metric | unit | written by |
//! |---|---|---|
//! | `Requests`, `Errors` (5xx), `Refusals` (429) | count | routes |
//! | `Latency` | ms | routes, drains |
//! | `ColdStarts` | count | all |
//! | `MemoryUsed` | percent of the function's memory | all, in Lambda |
//! | `RedisRequests`, `RedisFailures`, `RedisCommands` (as billed) | count | all |
//! | `RedisLatency` | ms, one value for each request | all |
//! | `CacheHits`, `CacheStale`, `CacheMisses` | count | functions with a cache |
//! | `JobsCompleted`, `JobsFailed`, `JobsRetried` | count | drains |
//! | `QueueDepth`, `OldestWaiting` (ms), `DeadLetters` | count | drains |
//! | `RedisMemory` | percent, if the database reports it | a drain every other hour |

mod budget;
mod event;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub use budget::CommandBudget;
pub use event::{Event, Unit};

use crate::cache::{Cache, CacheCounts};
use crate::clock::Clock;
use crate::config::MetricsConfig;
use crate::redis::{Meter, Redis};

/// Where the lines are written.
pub use crate::config::MetricsSink as Sink;

/// The metrics of one function. Clones share everything.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    config: MetricsConfig,
    clock: Clock,
    meter: Option<Meter>,
    sink: Sink,
    is_warm: AtomicBool,
    cache: Mutex<Option<(Cache, CacheCounts)>>,
    notes: Mutex<Vec<(&'static str, Unit, f64)>>,
}

impl Metrics {
    /// Creates the metrics of a function that uses `redis`, written to standard output.
    pub fn new(config: MetricsConfig, redis: &Redis, clock: Clock) -> Metrics {
        Metrics::to(Arc::new(|line| println!("{line}")), config, redis, clock)
    }

    /// Like [`Metrics::new`], but writes to `sink`.
    pub fn to(sink: Sink, config: MetricsConfig, redis: &Redis, clock: Clock) -> Metrics {
        Metrics(Arc::new(Inner {
            config,
            clock,
            meter: redis.meter(),
            sink,
            is_warm: AtomicBool::new(false),
            cache: Mutex::default(),
            notes: Mutex::default(),
        }))
    }

    /// Includes the counts of this cache.
    pub fn watch(&self, cache: &Cache) {
        *self.cache() = Some((cache.clone(), cache.counts()));
    }

    /// Adds a value to the next line.
    pub fn note(&self, name: &'static str, unit: Unit, value: f64) {
        if self.0.config.is_on {
            self.notes().push((name, unit, value));
        }
    }

    /// Whether lines are written.
    pub fn is_on(&self) -> bool {
        self.0.config.is_on
    }

    /// Starts the line of an invocation, with its use of Redis so far.
    pub fn event(&self) -> Event {
        let mut event = Event::new(&self.0.config, self.0.clock.now_ms());
        let is_cold = !self.0.is_warm.swap(true, Ordering::Relaxed);
        event.count("ColdStarts", u64::from(is_cold));
        if let Some(share) = self.memory_used() {
            event.percent("MemoryUsed", share);
        }
        if let Some(meter) = &self.0.meter {
            let usage = meter.take();
            event.count("RedisRequests", usage.requests);
            event.count("RedisFailures", usage.failures);
            event.count("RedisCommands", usage.commands);
            event.values("RedisLatency", Unit::Milliseconds, usage.latencies_ms);
        }
        for (name, unit, value) in self.notes().drain(..) {
            event.values(name, unit, vec![value]);
        }
        if let Some((cache, before)) = &mut *self.cache() {
            let now = cache.counts();
            event.count("CacheHits", now.hits - before.hits);
            event.count("CacheStale", now.stale - before.stale);
            event.count("CacheMisses", now.misses - before.misses);
            *before = now;
        }
        event
    }

    /// The most memory that this process has used, in percent of the function's memory.
    fn memory_used(&self) -> Option<f64> {
        let size_kb = self.0.config.memory_mb.filter(|size| *size > 0)? * 1024;
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let peak = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let peak_kb: u64 = peak.split_whitespace().nth(1)?.parse().ok()?;
        Some(100.0 * peak_kb as f64 / size_kb as f64)
    }

    /// Writes the line, if metrics are on.
    pub fn emit(&self, event: &Event) {
        if self.0.config.is_on {
            (self.0.sink)(&event.line());
        }
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, Vec<(&'static str, Unit, f64)>> {
        self.0.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Option<(Cache, CacheCounts)>> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
