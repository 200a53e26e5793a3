//! Work that runs under a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use shared::lock::Error;
use shared::redis::commands::Keys as _;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use upstash_local::{Fault, FaultAction};

use super::{Bench, LEASE};

/// Work that waits for a signal at each step.
struct Work {
    go_on: Arc<Notify>,
    steps: Arc<AtomicU32>,
    task: JoinHandle<Result<u64, Error>>,
}

impl Work {
    /// Starts the work and waits until it runs.
    async fn start(bench: &Bench) -> Work {
        let (go_on, steps) = (Arc::new(Notify::new()), Arc::new(AtomicU32::new(0)));
        let (locks, clock) = (bench.locks.clone(), bench.clock.clone());
        let task = tokio::spawn({
            let (go_on, steps) = (go_on.clone(), steps.clone());
            async move {
                let deadline = clock.deadline(Duration::from_secs(1));
                let work = |fence| async move {
                    steps.fetch_add(1, Ordering::SeqCst);
                    go_on.notified().await;
                    steps.fetch_add(1, Ordering::SeqCst);
                    fence
                };
                locks.with_lock("r", LEASE, &deadline, work).await
            }
        });
        let work = Work { go_on, steps, task };
        while work.steps() == 0 {
            tokio::task::yield_now().await;
        }
        work
    }

    fn steps(&self) -> u32 {
        self.steps.load(Ordering::SeqCst)
    }
}

/// Runs everything that can run until Redis has been called `n` times.
async fn until_asked(bench: &Bench, n: u64) {
    for _ in 0..100_000 {
        if bench.server.meter().requests.values().sum::<u64>() >= n {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("Redis was not asked");
}

#[tokio::test]
async fn a_lease_is_renewed_for_as_long_as_the_work_takes() {
    let bench = Bench::start().await;
    let work = Work::start(&bench).await;
    for _ in 0..12 {
        bench.server.reset_meter();
        bench.advance(LEASE / 3 + Duration::from_millis(1));
        until_asked(&bench, 1).await;
        assert!(bench.take().await.is_none());
    }
    work.go_on.notify_one();
    let fence = work.task.await.unwrap().unwrap();
    assert_eq!(work.steps.load(Ordering::SeqCst), 2);
    assert!(bench.take().await.unwrap().fence() > fence);
}

#[tokio::test]
async fn work_is_dropped_when_its_lock_is_taken_away() {
    let bench = Bench::start().await;
    let work = Work::start(&bench).await;
    bench.redis.del(&["trawl:lock:r"]).await.unwrap();
    assert!(bench.take().await.is_some());
    bench.advance(LEASE / 3 + Duration::from_millis(1));
    let steps = work.steps.clone();
    let error = work.task.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error}");
    assert_eq!(steps.load(Ordering::SeqCst), 1);
    // A lock that somebody else holds is not released.
    assert!(bench.take().await.is_none());
}

#[tokio::test]
async fn work_that_slept_through_its_lease_does_not_go_on() {
    let bench = Bench::start().await;
    let work = Work::start(&bench).await;
    // A frozen process: time passes and the signal arrives before it wakes up.
    bench.advance(2 * LEASE);
    work.go_on.notify_one();
    let steps = work.steps.clone();
    assert!(matches!(work.task.await.unwrap(), Err(Error::Lost { .. })));
    assert_eq!(steps.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn work_is_dropped_when_its_lease_cannot_be_renewed() {
    let bench = Bench::start().await;
    let work = Work::start(&bench).await;
    let away = Fault::new(FaultAction::Status(500)).times(100_000);
    bench.server.faults().add(away);
    let began = bench.clock.now_ms();
    while !work.task.is_finished() {
        bench.advance(Duration::from_millis(20));
        tokio::task::yield_now().await;
        assert!(bench.clock.now_ms() < began + 60_000);
    }
    assert!(bench.clock.now_ms() - began >= LEASE.as_millis() as i64);
    assert!(matches!(work.task.await.unwrap(), Err(Error::Lost { .. })));
}

#[tokio::test]
async fn a_failed_renewal_is_retried_in_time() {
    let bench = Bench::start().await;
    let work = Work::start(&bench).await;
    // The client does not retry this.
    let refused = Fault::new(FaultAction::Status(401)).matching("set");
    bench.server.faults().add(refused);
    let until = bench.clock.now_ms() + 2 * LEASE.as_millis() as i64;
    while bench.clock.now_ms() < until {
        bench.advance(Duration::from_millis(500));
        // A renewal can complete next to these, however slow the machine is.
        for _ in 0..3 {
            bench.redis.exists(&["other"]).await.unwrap();
        }
    }
    assert_eq!(bench.server.faults().fired(), 1);
    assert!(bench.take().await.is_none());
    work.go_on.notify_one();
    work.task.await.unwrap().unwrap();
}
