//! Counters and flags on the endpoint.

mod costs;

use std::time::Duration;

use integration::{START_MS, start_endpoint};
use proptest::prelude::*;
use shared::clock::Clock;
use shared::counters::{Counters, Period};
use shared::flags::{Flags, Rule};
use shared::redis::commands::hashes::{Hashes as _, hget};
use shared::redis::commands::{Keys as _, Server as _};
use shared::redis::{Pipeline, Redis};
use upstash_local::{Fault, FaultAction};

use crate::redis::client;

struct Bench {
    server: upstash_local::Server,
    clock: Clock,
    redis: Redis,
    counters: Counters,
}

impl Bench {
    async fn start() -> Bench {
        let server = start_endpoint().await;
        let clock = Clock::manual(START_MS);
        let redis = client(&server);
        let counters = Counters::new(redis.clone(), "trawl:", clock.clone());
        Bench {
            server,
            clock,
            redis,
            counters,
        }
    }

    fn advance(&self, by: Duration) {
        self.server.clock().advance(by);
        self.clock.advance(by);
    }

    /// The counts alone.
    async fn last(&self, period: Period, n: u32) -> Vec<u64> {
        let told = self.counters.last("hits", period, n).await.unwrap();
        told.into_iter().map(|(_, count)| count).collect()
    }
}

#[tokio::test]
async fn periods_are_listed_with_their_start_and_the_current_one_last() {
    let bench = Bench::start().await;
    bench.counters.add("hits", 1).await.unwrap();
    bench.advance(Duration::from_secs(61));
    bench.counters.add("hits", 2).await.unwrap();
    bench.counters.add("hits", 0).await.unwrap();
    let minute = START_MS.div_euclid(60_000) * 60_000;
    let told = bench.counters.last("hits", Period::Minute, 3).await;
    assert_eq!(
        told.unwrap(),
        [(minute - 60_000, 0), (minute, 1), (minute + 60_000, 2)]
    );
    assert_eq!(bench.last(Period::Minute, 5000).await.len(), 180);
}

#[tokio::test]
async fn a_count_with_the_same_name_counts_once() {
    let bench = Bench::start().await;
    let count = async |token: &str| {
        let mut pipeline = Pipeline::new();
        let slot = bench.counters.add_to(&mut pipeline, "hits", 2, token);
        let mut replies = pipeline.send(&*bench.redis).await.unwrap();
        replies.take(slot.unwrap()).unwrap()
    };
    assert_eq!((count("a").await, count("a").await), (1, 0));
    for n in 0..31 {
        assert_eq!(count(&n.to_string()).await, 1);
    }
    // It is among the last 32, and in the same hour.
    assert_eq!(count("a").await, 0);
    assert_eq!(bench.last(Period::Hour, 1).await, [64]);
    assert_eq!(count("31").await, 1);
    assert_eq!(count("a").await, 1);
}

#[tokio::test]
async fn counts_are_forgotten_after_their_time_and_leave_no_key() {
    let bench = Bench::start().await;
    bench.counters.add("hits", 5).await.unwrap();
    bench.advance(Duration::from_secs(2 * 3600 + 1800));
    let sum = async |period| bench.last(period, 1000).await.iter().sum::<u64>();
    assert_eq!(sum(Period::Minute).await, 5);
    bench.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(sum(Period::Hour).await, 5);
    bench.advance(Duration::from_secs(390 * 86_400));
    assert_eq!(sum(Period::Day).await, 5);
    bench.advance(Duration::from_secs(40 * 86_400));
    assert_eq!(bench.redis.dbsize().await.unwrap(), 0);
}

#[tokio::test]
async fn a_count_whose_reply_was_lost_is_not_counted_again() {
    let bench = Bench::start().await;
    bench.counters.add("hits", 1).await.unwrap();
    bench
        .server
        .faults()
        .add(Fault::new(FaultAction::DropAfterCommit));
    bench.counters.add("hits", 1).await.unwrap();
    assert_eq!(bench.last(Period::Day, 1).await, [2]);
}

async fn count(steps: Vec<(u64, u64)>) {
    let bench = Bench::start().await;
    let mut counted: Vec<(i64, u64)> = Vec::new();
    for (seconds, by) in steps {
        bench.advance(Duration::from_secs(seconds));
        bench.counters.add("hits", by).await.unwrap();
        counted.push((bench.clock.now_ms(), by));
    }
    let now = bench.clock.now_ms();
    for (period, n) in [(Period::Minute, 180), (Period::Hour, 48), (Period::Day, 10)] {
        let length = period.length().as_millis() as i64;
        let newest = now / length;
        let expected: Vec<u64> = (newest - i64::from(n) + 1..=newest)
            .map(|number| {
                let within = counted.iter().filter(|(at, _)| at / length == number);
                within.map(|(_, by)| by).sum()
            })
            .collect();
        assert_eq!(bench.last(period, n).await, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_count_is_found_in_its_minute_hour_and_day(
        steps in proptest::collection::vec((0..4000u64, 0..5u64), 1..30)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(count(steps));
    }
}

#[tokio::test]
async fn flags_are_read_with_the_work_of_a_request_for_one_command() {
    let bench = Bench::start().await;
    let flags = Flags::new("trawl:");
    flags.set(&bench.redis, "all", &Rule::ON).await.unwrap();
    flags
        .set(&bench.redis, "some", &Rule::allow(&["7"]))
        .await
        .unwrap();
    bench
        .redis
        .hset("trawl:flags", &[("broken", "{nonsense")])
        .await
        .unwrap();
    bench.server.reset_meter();
    let mut pipeline = Pipeline::new();
    let slot = flags.add_read(&mut pipeline, &["all", "some", "broken", "never"]);
    let work = pipeline.add(hget("work", "field"));
    let mut replies = pipeline.send(&*bench.redis).await.unwrap();
    let rules = flags.read(&mut replies, slot).unwrap();
    assert_eq!(replies.take(work).unwrap(), None);
    let meter = bench.server.meter();
    assert_eq!((meter.total, meter.requests["pipeline"]), (2, 1));
    let on = ["all", "some", "broken", "never"].map(|name| rules.is_on(name, "7"));
    assert_eq!(on, [true, true, false, false]);
    assert!(!rules.is_on("some", "8") && !rules.is_on("not asked for", "7"));
    assert!(flags.remove(&bench.redis, "all").await.unwrap());
    assert_eq!(flags.all(&bench.redis).await.unwrap().len(), 2);
    assert_eq!(bench.redis.exists(&["trawl:flags"]).await.unwrap(), 1);
}
