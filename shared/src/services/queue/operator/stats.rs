//! How a queue is doing, read in one request.

use serde::Serialize;

use crate::queue::layout::{self, BAND, COUNTERS, EPOCH_MS, PAUSE};
use crate::queue::moment::day;
use crate::queue::{Error, JobId, JobState, Queue};
use crate::redis::commands::hashes::hmget;
use crate::redis::commands::sorted_sets::{Range, zcount, zrange_with_scores, zscore};
use crate::redis::{Pipeline, Replies, Slot};

/// The number of jobs in each state.
pub type Counts = Vec<(JobState, u64)>;

/// The number of minutes that throughput is measured over, not counting the current one.
const REPORTED_MINUTES: i64 = 10;

/// How a queue is doing, in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "QueueStats")]
pub struct Stats {
    /// How many jobs may run now.
    pub waiting: u64,
    /// How many jobs wait for the time at which they may run.
    pub delayed: u64,
    /// How many jobs are running.
    pub active: u64,
    /// How many completed jobs are still stored.
    pub completed: u64,
    /// How many failed jobs are still stored.
    pub failed: u64,
    /// How many cancelled jobs are still stored.
    pub cancelled: u64,
    /// Whether the queue is paused, so that no job is started.
    pub paused: bool,
    /// How long the job that runs next has waited, in milliseconds. `null` if none waits.
    pub oldest_waiting_ms: Option<i64>,
    /// Completed jobs per minute, over the last ten whole minutes.
    pub completed_per_minute: f64,
    /// Jobs per minute that failed for good, over the same time.
    pub failed_per_minute: f64,
    /// Attempts per minute that failed and are repeated, over the same time.
    pub retried_per_minute: f64,
    /// The share of ended jobs that failed, 0 to 1. `null` if none ended.
    pub failure_rate: Option<f64>,
    /// How long a job ran until it was completed, on average, in milliseconds. `null` if none
    /// was.
    pub average_processing_ms: Option<f64>,
    /// The counts since midnight UTC.
    pub today: Totals,
    /// The counts since the queue was created.
    pub lifetime: Totals,
}

/// How many jobs and attempts ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "QueueTotals")]
pub struct Totals {
    /// How many jobs were completed.
    pub completed: u64,
    /// How many jobs failed for good.
    pub failed: u64,
    /// How many jobs were cancelled.
    pub cancelled: u64,
    /// How many attempts failed and were repeated.
    pub retried: u64,
    /// How many attempts stopped reporting, so that another worker took their job over.
    pub stalled: u64,
}

/// How far behind a queue is. Contains less than [`Stats`], for a third of its price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// The number of jobs that are due.
    pub waiting: u64,
    /// How long the job that comes next has waited, in milliseconds; 0 if none waits.
    pub oldest_waiting_ms: u64,
    /// The number of failed jobs (dead letters).
    pub failed: u64,
}

impl Queue {
    /// Counts the jobs in each state, in one request.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn counts(&self) -> Result<Counts, Error> {
        let mut pipeline = Pipeline::new();
        let slots = self.add_counts(&mut pipeline);
        let mut replies = pipeline.send(&*self.redis).await?;
        slots
            .into_iter()
            .map(|(state, slot)| Ok((state, replies.take(slot)?)))
            .collect()
    }

    fn add_counts(&self, pipeline: &mut Pipeline) -> Vec<(JobState, Slot<u64>)> {
        JobState::ALL
            .into_iter()
            .map(|state| {
                let (min, max) = state.band();
                (state, pipeline.add(zcount(self.set_of(state), min, max)))
            })
            .collect()
    }

    /// Reads counts, ages, throughput and failures, in one request.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn stats(&self) -> Result<Stats, Error> {
        let mut pipeline = Pipeline::new();
        let slots = self.add_stats(&mut pipeline);
        let mut replies = pipeline.send(&*self.redis).await?;
        self.read_stats(slots, &mut replies)
    }

    /// Reads the stats of several queues of one database, in one request.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn stats_of(queues: &[Queue]) -> Result<Vec<Stats>, Error> {
        let Some(first) = queues.first() else {
            return Ok(Vec::new());
        };
        let mut pipeline = Pipeline::new();
        let slots: Vec<StatsSlots> = queues
            .iter()
            .map(|queue| queue.add_stats(&mut pipeline))
            .collect();
        let mut replies = pipeline.send(&*first.redis).await?;
        let each = queues.iter().zip(slots);
        each.map(|(queue, slots)| queue.read_stats(slots, &mut replies))
            .collect()
    }

    fn add_stats(&self, pipeline: &mut Pipeline) -> StatsSlots {
        let now = self.clock.now_ms();
        let today = day(now);
        let mut fields: Vec<String> = COUNTERS.iter().map(|name| format!("#{name}")).collect();
        fields.extend(COUNTERS.iter().map(|name| format!("#{name}:{today}")));
        fields.extend((0..layout::MINUTES).map(|slot| format!("#minute:{slot}")));
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();

        let next = Range::Score {
            min: 0.0,
            max: JobState::Waiting.band().1,
            offset: 0,
            limit: 1,
        };
        StatsSlots {
            now,
            counts: self.add_counts(pipeline),
            next: pipeline.add(zrange_with_scores(&self.keys.index, next)),
            pause: pipeline.add(zscore(&self.keys.index, PAUSE)),
            values: pipeline.add(hmget(&self.keys.records, &fields)),
        }
    }

    fn read_stats(&self, slots: StatsSlots, replies: &mut Replies) -> Result<Stats, Error> {
        let now = slots.now;
        let minute = now.div_euclid(60_000);
        let mut count = Vec::with_capacity(slots.counts.len());
        for (_, slot) in slots.counts {
            count.push(replies.take(slot)?);
        }
        let next = replies.take(slots.next)?;
        let pause: Option<f64> = replies.take(slots.pause)?;
        let values = replies.take(slots.values)?;
        let number = |n: usize| -> u64 {
            let text = values.get(n).and_then(Option::as_deref);
            text.and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        let totals = |from: usize| Totals {
            completed: number(from),
            failed: number(from + 1),
            cancelled: number(from + 2),
            retried: number(from + 3),
            stalled: number(from + 4),
        };
        // A slot belongs to the minute that last used it. A slot from an hour ago does not
        // count.
        let minutes = Minutes::of(&values[2 * COUNTERS.len()..], minute);
        let ended = minutes.completed + minutes.failed;
        Ok(Stats {
            waiting: count[0],
            delayed: count[1],
            active: count[2],
            completed: count[3],
            failed: count[4],
            cancelled: count[5],
            paused: pause.is_some(),
            oldest_waiting_ms: self.waiting_since(&next).map(|since| (now - since).max(0)),
            completed_per_minute: minutes.completed / REPORTED_MINUTES as f64,
            failed_per_minute: minutes.failed / REPORTED_MINUTES as f64,
            retried_per_minute: minutes.retried / REPORTED_MINUTES as f64,
            failure_rate: (ended > 0.0).then(|| minutes.failed / ended),
            average_processing_ms: (minutes.completed > 0.0)
                .then(|| minutes.took_ms / minutes.completed),
            today: totals(COUNTERS.len()),
            lifetime: totals(0),
        })
    }

    /// Reads how far behind the queue is: three commands in one request.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn pressure(&self) -> Result<Pressure, Error> {
        let (low, high) = JobState::Waiting.band();
        let next = Range::Score {
            min: 0.0,
            max: high,
            offset: 0,
            limit: 1,
        };
        let mut pipeline = Pipeline::new();
        let waiting = pipeline.add(zcount(&self.keys.index, low, high));
        let next = pipeline.add(zrange_with_scores(&self.keys.index, next));
        let (low, high) = JobState::Failed.band();
        let failed = pipeline.add(zcount(self.set_of(JobState::Failed), low, high));
        let mut replies = pipeline.send(&*self.redis).await?;
        let waiting = replies.take(waiting)?;
        let since = self.waiting_since(&replies.take(next)?);
        let now = self.clock.now_ms();
        Ok(Pressure {
            waiting,
            oldest_waiting_ms: since.map_or(0, |since| (now - since).max(0).unsigned_abs()),
            failed: replies.take(failed)?,
        })
    }

    /// When a job began to wait, calculated from its score. The head start of its priority
    /// is subtracted, unless that would make the job older than its own id.
    fn waiting_since(&self, next: &[String]) -> Option<i64> {
        let [id, score] = next else { return None };
        let created = JobId::parse(id)?.created_ms();
        // Parked jobs differ only by their band.
        let score = (score.parse::<f64>().ok()? as i64) % BAND + EPOCH_MS;
        let aging = i64::try_from(self.config.aging.as_millis()).unwrap_or(i64::MAX);
        let levels = match aging {
            // Priority is strict, so the score says nothing about the time.
            0 => 0,
            aging => ((score - created) / aging).clamp(0, 9),
        };
        Some(score - levels * aging)
    }
}

/// Where the answers to the reads of one queue are.
struct StatsSlots {
    /// The time for which they are read.
    now: i64,
    counts: Vec<(JobState, Slot<u64>)>,
    next: Slot<Vec<String>>,
    pause: Slot<Option<f64>>,
    values: Slot<Vec<Option<String>>>,
}

/// Sums over the last whole minutes.
#[derive(Default)]
struct Minutes {
    completed: f64,
    failed: f64,
    retried: f64,
    took_ms: f64,
}

impl Minutes {
    /// Reads fields in the format of `count.lua`.
    fn of(fields: &[Option<String>], now: i64) -> Minutes {
        let mut sum = Minutes::default();
        for field in fields.iter().flatten() {
            let values: Vec<f64> = field.split(' ').flat_map(str::parse).collect();
            if let [minute, completed, failed, retried, took_ms] = values[..]
                && (now - REPORTED_MINUTES..now).contains(&(minute as i64))
            {
                sum.completed += completed;
                sum.failed += failed;
                sum.retried += retried;
                sum.took_ms += took_ms;
            }
        }
        sum
    }
}
