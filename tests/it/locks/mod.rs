//! Locks: one holder at a time.

mod costs;
mod faults;
mod property;
mod with_lock;

use std::time::Duration;

use integration::{START_MS, start_endpoint};
use shared::clock::Clock;
use shared::lock::{Error, Held, Locks};
use shared::redis::Redis;

pub const LEASE: Duration = Duration::from_secs(30);

/// Locks with their own endpoint and clock.
pub struct Bench {
    pub server: upstash_local::Server,
    pub clock: Clock,
    pub redis: Redis,
    pub locks: Locks,
}

impl Bench {
    pub async fn start() -> Bench {
        let server = start_endpoint().await;
        let clock = Clock::manual(START_MS);
        let redis = crate::limits::client(&server, &clock);
        Bench {
            locks: Locks::new(redis.clone(), "trawl:", clock.clone()),
            server,
            clock,
            redis,
        }
    }

    pub fn advance(&self, by: Duration) {
        self.server.clock().advance(by);
        self.clock.advance(by);
    }

    pub async fn take(&self) -> Option<Held> {
        self.locks.try_acquire("r", LEASE).await.unwrap()
    }
}

#[tokio::test]
async fn a_lock_has_one_holder_and_the_next_a_higher_fence() {
    let bench = Bench::start().await;
    let first = bench.take().await.unwrap();
    assert!(bench.take().await.is_none());
    assert!(
        bench
            .locks
            .try_acquire("other", LEASE)
            .await
            .unwrap()
            .is_some()
    );
    let fence = first.fence();
    assert!(first.release().await.unwrap());
    let second = bench.take().await.unwrap();
    assert!(second.fence() > fence);
    assert_eq!(second.left(), LEASE);
}

#[tokio::test]
async fn a_lease_that_ends_frees_the_lock_and_the_late_holder_takes_nothing() {
    let bench = Bench::start().await;
    let mut late = bench.take().await.unwrap();
    bench.advance(LEASE);
    assert_eq!(late.left(), Duration::ZERO);
    let next = bench.take().await.unwrap();
    assert!(!late.extend(LEASE).await.unwrap());
    assert!(!late.release().await.unwrap());
    assert!(bench.take().await.is_none());
    assert!(next.release().await.unwrap());
}

#[tokio::test]
async fn a_lease_is_extended_to_the_millisecond() {
    let bench = Bench::start().await;
    let mut held = bench.take().await.unwrap();
    for ms in [500, 1, 250] {
        assert!(held.extend(Duration::from_millis(ms)).await.unwrap());
        assert_eq!(held.left(), Duration::from_millis(ms));
    }
    bench.advance(Duration::from_millis(249));
    assert!(bench.take().await.is_none());
    bench.advance(Duration::from_millis(1));
    assert!(bench.take().await.is_some());
}

#[tokio::test]
async fn a_frozen_holder_sees_that_its_lease_is_over_on_either_clock() {
    let bench = Bench::start().await;
    let held = bench.take().await.unwrap();
    bench
        .clock
        .set(bench.clock.now_ms() + LEASE.as_millis() as i64);
    assert_eq!(held.left(), Duration::ZERO);
}

#[tokio::test]
async fn a_waiting_caller_gets_the_lock_when_it_is_released() {
    let bench = Bench::start().await;
    let held = bench.take().await.unwrap();
    let waiter = tokio::spawn({
        let (locks, clock) = (bench.locks.clone(), bench.clock.clone());
        async move {
            let deadline = clock.deadline(Duration::from_secs(60));
            locks.acquire("r", LEASE, &deadline).await
        }
    });
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    let fence = held.fence();
    held.release().await.unwrap();
    while !waiter.is_finished() {
        bench.advance(Duration::from_millis(50));
        tokio::task::yield_now().await;
    }
    assert!(waiter.await.unwrap().unwrap().fence() > fence);
}

#[tokio::test]
async fn a_waiting_caller_gives_up_at_the_deadline() {
    let bench = Bench::start().await;
    let mut held = bench.take().await.unwrap();
    let began = bench.clock.now_ms();
    let waiter = tokio::spawn({
        let (locks, clock) = (bench.locks.clone(), bench.clock.clone());
        async move {
            let deadline = clock.deadline(Duration::from_secs(5));
            locks.acquire("r", LEASE, &deadline).await
        }
    });
    while !waiter.is_finished() {
        bench.advance(Duration::from_millis(10));
        held.extend(LEASE).await.unwrap();
        assert!(bench.clock.now_ms() < began + 60_000);
    }
    let error = waiter.await.unwrap().err().unwrap();
    assert!(matches!(error, Error::Held { .. }), "{error}");
    assert!(bench.clock.now_ms() >= began + 5000);
    let at_once = bench.clock.deadline(Duration::ZERO);
    assert!(bench.locks.acquire("r", LEASE, &at_once).await.is_err());
}

#[tokio::test]
async fn a_resource_may_have_any_name() {
    let bench = Bench::start().await;
    let take = async |name: &str| bench.locks.try_acquire(name, LEASE).await.unwrap();
    let mut fences = Vec::new();
    let mut held = Vec::new();
    for name in ["fence", "%fence", "%%fence", "", ":", "größe", "fence:"] {
        let first = take(name).await;
        assert!(take(name).await.is_none(), "{name}");
        fences.push(first.as_ref().unwrap().fence());
        held.push(first.unwrap());
    }
    assert!(
        fences.windows(2).all(|pair| pair[0] < pair[1]),
        "{fences:?}"
    );
    for held in held {
        assert!(held.release().await.unwrap());
    }
}

#[tokio::test]
async fn a_lease_shorter_than_a_millisecond_is_one() {
    let bench = Bench::start().await;
    for lease in [
        Duration::from_nanos(1),
        Duration::from_micros(999),
        Duration::ZERO,
    ] {
        let mut held = bench.locks.try_acquire("r", lease).await.unwrap().unwrap();
        assert!(held.left() <= Duration::from_millis(1));
        assert!(held.extend(Duration::from_micros(1)).await.unwrap());
        bench.advance(Duration::from_millis(1));
        assert!(bench.take().await.unwrap().release().await.unwrap());
    }
}

#[tokio::test]
async fn an_acquisition_that_fails_half_way_leaves_the_lock_free() {
    let bench = Bench::start().await;
    use shared::redis::commands::{Keys as _, Strings as _};
    let options = shared::redis::commands::strings::SetOptions::new();
    bench
        .redis
        .set("trawl:lock:fence", "not a number", options)
        .await
        .unwrap();
    assert!(bench.locks.try_acquire("r", LEASE).await.is_err());
    bench.redis.del(&["trawl:lock:fence"]).await.unwrap();
    assert!(
        bench.take().await.is_some(),
        "held by nobody for as long as its lease"
    );
}
