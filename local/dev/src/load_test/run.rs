//! One run: enqueue the jobs, drain them, read them all back and let retention delete
//! them.

use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use shared::clock::Clock;
use shared::config::QueueConfig;
use shared::queue::{JobId, Queue};
use shared::redis::commands::Keys as _;
use shared::redis::{self, Redis};
use tokio::task::JoinSet;
use ulid::Ulid;

use super::drainer::{Drained, Drainer};
use super::handler::Ledger;
use super::timed::Timed;
use super::verdict::{Verdict, verify};
use super::work::{Fate, Work, job};
use crate::measure::{Endpoint, Meter, Percentiles, Process};

/// Jobs per enqueue call.
const BULK: usize = 100;

/// How the work is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub work: Work,
    /// Jobs that one drainer runs concurrently.
    pub concurrency: usize,
    pub drainers: usize,
    /// Lease duration, which is how long the jobs of a killed drainer are unavailable.
    pub lease: Duration,
}

/// The cost of one phase of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Phase {
    pub took: Duration,
    pub billed: u64,
    pub round_trips: u64,
    /// Round-trip times as the client sees them.
    pub times: Percentiles,
    /// Processor time of the drainers, including the endpoint if it runs in this process.
    pub own_cpu: Option<Duration>,
    pub endpoint_cpu: Option<Duration>,
}

/// The results of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub plan: Plan,
    pub enqueue: Phase,
    pub drain: Phase,
    pub retention: Phase,
    /// Jobs that retention deleted.
    pub forgotten: u64,
    /// Handlers started. Exceeds the number of jobs and failures if leases were lost.
    pub runs: u64,
    pub drained: Drained,
    pub verdict: Verdict,
    /// Peak memory while draining.
    pub own_bytes: Option<u64>,
    pub endpoint_bytes: Option<u64>,
    /// The endpoint's memory before the first job.
    pub endpoint_idle_bytes: Option<u64>,
    /// How much the database grew from before the first job, where that is known.
    pub data_bytes: Option<u64>,
}

/// Does the work of `plan` on `endpoint` and removes every key afterwards.
///
/// # Errors
/// If the endpoint fails, or if a job is lost or accepted twice.
pub async fn run(plan: &Plan, endpoint: &Endpoint, bar: ProgressBar) -> anyhow::Result<Measured> {
    let clock = Clock::system();
    let key_prefix = format!("load-test:{}:", Ulid::generate());
    let bench = Bench {
        plan,
        endpoint,
        redis: redis::connect(&endpoint.redis(&key_prefix), &clock)?,
        key_prefix,
        clock,
    };
    let measured = bench.measure(bar).await;
    let keys = bench.queue(bench.redis.clone(), 0);
    let keys = keys.keys();
    let keys = [keys.index.as_str(), &keys.records, &keys.finished];
    let removed = bench.redis.del(&keys).await;
    let measured = measured?;
    removed?;
    Ok(measured)
}

struct Bench<'a> {
    plan: &'a Plan,
    endpoint: &'a Endpoint,
    key_prefix: String,
    redis: Redis,
    clock: Clock,
}

/// A reading at the start or end of a phase.
struct Reading {
    at: Duration,
    meter: Meter,
    own_cpu: Option<Duration>,
    endpoint_cpu: Option<Duration>,
}

impl Bench<'_> {
    async fn measure(&self, bar: ProgressBar) -> anyhow::Result<Measured> {
        let (plan, own) = (self.plan, Process::own());
        let fates = plan.work.fates(plan.concurrency);
        let endpoint_idle_bytes = self.endpoint.process().and_then(Process::resident_bytes);
        let client = self.client()?;
        // Keep every job until it has been read back.
        let queue = self.queue(Arc::new(client.clone()), plan.work.jobs as u64);

        let before = self.reading().await?;
        let ids = self.enqueue(&queue, &fates).await?;
        let enqueue = self.phase(before, client.take()).await?;

        own.forget_peak();
        let ledger = Arc::new(Ledger::new(fates, bar));
        let before = self.reading().await?;
        let (drained, times) = self.drain(&ledger).await?;
        let drain = self.phase(before, times).await?;
        let (own_bytes, endpoint_bytes) = (
            own.peak_bytes(),
            self.endpoint.process().and_then(Process::peak_bytes),
        );

        let data_bytes = match (endpoint_bytes, endpoint_idle_bytes) {
            (Some(peak), Some(idle)) if self.endpoint.holds_data => Some(peak - idle.min(peak)),
            _ => None,
        };
        let verdict = verify(&queue, &self.redis, &ids).await?;
        let config = QueueConfig::default();
        let queue = self.queue(Arc::new(client.clone()), config.completed_count);
        client.take();
        let before = self.reading().await?;
        let forgotten = queue.retain().await? as u64;
        let retention = self.phase(before, client.take()).await?;
        Ok(Measured {
            plan: plan.clone(),
            enqueue,
            drain,
            retention,
            forgotten,
            runs: ledger.runs(),
            drained,
            verdict,
            own_bytes,
            endpoint_bytes,
            endpoint_idle_bytes,
            data_bytes,
        })
    }

    /// A separate client, as another process would have.
    fn client(&self) -> anyhow::Result<Timed> {
        let redis = redis::connect(&self.endpoint.redis(&self.key_prefix), &self.clock)?;
        Ok(Timed::new(redis, self.clock.clone()))
    }

    /// The queue as deployed, except for the lease and the retention limits.
    fn queue(&self, redis: Redis, completed_count: u64) -> Queue {
        let config = QueueConfig {
            lease: self.plan.lease,
            concurrency: self.plan.concurrency,
            completed_count,
            ..QueueConfig::default()
        };
        Queue::new(redis, &self.key_prefix, "load", self.clock.clone(), config)
    }

    async fn enqueue(&self, queue: &Queue, fates: &[Fate]) -> anyhow::Result<Vec<JobId>> {
        let mut ids = Vec::with_capacity(fates.len());
        while ids.len() < fates.len() {
            let start = ids.len();
            let jobs = fates[start..].iter().take(BULK).enumerate();
            let jobs = jobs.map(|(n, fate)| job(start + n, fate, &self.clock));
            let stored = queue.enqueue_many(jobs.collect::<Result<_, _>>()?).await?;
            ids.extend(stored.into_iter().map(|stored| stored.id().clone()));
        }
        Ok(ids)
    }

    async fn drain(&self, ledger: &Arc<Ledger>) -> anyhow::Result<(Drained, Vec<Duration>)> {
        let mut drainers = JoinSet::new();
        let mut clients = Vec::new();
        for _ in 0..self.plan.drainers {
            let client = self.client()?;
            let kept = self.plan.work.jobs as u64;
            drainers.spawn(
                Drainer {
                    queue: self.queue(Arc::new(client.clone()), kept),
                    redis: self.redis.clone(),
                    ledger: ledger.clone(),
                    clock: self.clock.clone(),
                }
                .run(),
            );
            clients.push(client);
        }
        let mut all = Drained {
            idle: Duration::MAX,
            ..Drained::default()
        };
        while let Some(drained) = drainers.join_next().await {
            let drained = drained??;
            all.deaths += drained.deaths;
            all.refused += drained.refused;
            // The system was idle only while every drainer was idle.
            all.idle = all.idle.min(drained.idle);
        }
        let times = clients.iter().flat_map(Timed::take).collect();
        Ok((all, times))
    }

    async fn reading(&self) -> anyhow::Result<Reading> {
        Ok(Reading {
            meter: self.endpoint.meter().await?,
            own_cpu: Process::own().cpu(),
            endpoint_cpu: self.endpoint.process().and_then(Process::cpu),
            at: self.clock.elapsed(),
        })
    }

    async fn phase(&self, before: Reading, times: Vec<Duration>) -> anyhow::Result<Phase> {
        let at = self.clock.elapsed();
        let after = self.reading().await?;
        let used = |after: Option<Duration>, before: Option<Duration>| {
            Some(after?.saturating_sub(before?))
        };
        Ok(Phase {
            took: at.saturating_sub(before.at),
            billed: after.meter.billed - before.meter.billed,
            round_trips: after.meter.round_trips - before.meter.round_trips,
            times: Percentiles::of(times),
            own_cpu: used(after.own_cpu, before.own_cpu),
            endpoint_cpu: used(after.endpoint_cpu, before.endpoint_cpu),
        })
    }
}
