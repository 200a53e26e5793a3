//! Limits on how many jobs start and run across all drainers.

use std::time::Duration;

use shared::config::{QueueConfig, Rate};
use shared::queue::JobState;

use super::{Bench, config, gated, scripted, until_running};

fn at_pace(interval: Duration, burst: u32) -> QueueConfig {
    QueueConfig {
        rate: Some(Rate { interval, burst }),
        concurrency: 3,
        ..config()
    }
}

async fn enqueue_many(bench: &Bench, kind: &str, n: usize) {
    for from in (0..n).step_by(100) {
        let jobs = (from..n.min(from + 100)).map(|_| bench.job(kind));
        bench.queue.enqueue_many(jobs.collect()).await.unwrap();
    }
}

#[tokio::test]
async fn over_any_time_no_more_jobs_begin_than_the_burst_and_the_pace_allow() {
    // Rates with and without a whole number of milliseconds per job.
    let paces =
        [(1000, 4), (250, 1), (333, 2)].map(|(ms, burst)| (Duration::from_millis(ms), burst));
    let odd = [7, 13, 59].map(|per_minute| (Duration::from_secs(60) / per_minute, 3));
    for (interval, burst) in paces.into_iter().chain(odd) {
        let config = at_pace(interval, burst);
        let bench = Bench::with(config.clone()).await;
        enqueue_many(&bench, "work", 120).await;
        let handler = scripted();
        let mut begun = Vec::new();
        let (mut due, mut allowed) = (0.0f64, 0);
        for step in 0..60 {
            // Two drainers at the same moment, sometimes after a pause.
            tokio::join!(
                bench.drain(&handler),
                bench.drain_as(config.clone(), &handler)
            );
            let now = bench.clock.now_ms();
            begun.extend(vec![now; handler.ran().len() - begun.len()]);
            let rest = [1, 170, 333, 90, 2500][step % 5];
            // The number that the rate allows, computed in a different way.
            let time = (now - integration::START_MS) as f64;
            let interval = interval.as_secs_f64() * 1000.0;
            due = due.max(time);
            while due - time <= f64::from(burst - 1) * interval + 0.01 {
                due += interval;
                allowed += 1;
            }
            bench.advance(Duration::from_millis(rest));
        }
        for (from, first) in begun.iter().enumerate() {
            for (to, last) in begun.iter().enumerate().skip(from) {
                let most =
                    f64::from(burst) + (last - first) as f64 / (interval.as_secs_f64() * 1000.0);
                let n = to - from + 1;
                assert!(
                    n as f64 <= most + 1e-6,
                    "{n} in {} ms at {interval:?}",
                    last - first
                );
            }
        }
        assert_eq!(
            begun.len(),
            allowed.min(120),
            "as many as may, at {interval:?}"
        );
    }
}

#[tokio::test]
async fn a_drainer_waits_for_the_next_moment_the_pace_allows() {
    let bench = Bench::with(QueueConfig {
        linger: Duration::from_secs(20),
        ..at_pace(Duration::from_secs(60) / 7, 1)
    })
    .await;
    enqueue_many(&bench, "work", 4).await;
    let handler = scripted();
    let drainer = bench.start_drain(&handler, 900).task;
    for n in 1..=4 {
        until_running(&handler, n).await;
        let before = handler.ran().len();
        assert_eq!(before, n);
        // One millisecond early nothing starts; then a job does.
        bench.advance(Duration::from_millis(8571));
        bench.advance(Duration::from_millis(1));
    }
    assert_eq!(drainer.await.unwrap().completed, 4);
}

#[tokio::test]
async fn no_more_jobs_run_at_once_than_the_limit_of_all_drainers() {
    let config = QueueConfig {
        active_limit: Some(5),
        concurrency: 3,
        ..config()
    };
    let bench = Bench::with(config.clone()).await;
    let (handler, gate) = gated();
    enqueue_many(&bench, "gated", 30).await;
    let drainers: Vec<_> = (0..3)
        .map(|_| bench.start_drain(&handler, 900).task)
        .collect();
    until_running(&handler, 5).await;
    // A late drainer finds no free place and stops.
    let late = bench.drain_as(config, &handler).await;
    assert_eq!(late.claimed, 0);
    for done in 1..=25 {
        gate.add_permits(1);
        until_running(&handler, (5 + done).min(30)).await;
        assert!(bench.count(JobState::Active).await <= 5);
    }
    gate.add_permits(5);
    let mut completed = 0;
    for drainer in drainers {
        completed += drainer.await.unwrap().completed;
    }
    assert_eq!((completed, handler.ran().len()), (30, 30));
}

#[tokio::test]
async fn what_a_dead_drainer_held_is_free_for_others_when_its_lease_ends() {
    let bench = Bench::with(QueueConfig {
        active_limit: Some(2),
        ..config()
    })
    .await;
    let handler = scripted();
    enqueue_many(&bench, "held", 2).await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 2).await;
    drainer.abort();
    enqueue_many(&bench, "work", 3).await;
    assert_eq!(bench.drain(&handler).await.claimed, 0);
    bench.advance(Duration::from_secs(60));
    let handler = scripted().on("held", |_| async { shared::queue::Outcome::Cancelled });
    let report = bench.drain(&handler).await;
    assert_eq!((report.completed, report.cancelled), (3, 2));
}

#[tokio::test]
async fn no_minute_has_more_jobs_than_the_setting_whatever_the_concurrency() {
    for (per_minute, concurrency) in [(1, 5), (2, 50), (7, 50), (60, 5), (60, 50), (100, 1)] {
        let config = QueueConfig {
            rate: Some(Rate::per_minute(per_minute)),
            concurrency,
            ..config()
        };
        let bench = Bench::with(config.clone()).await;
        enqueue_many(&bench, "work", 4 * per_minute as usize).await;
        let handler = scripted();
        let mut begun = Vec::new();
        for _ in 0..400 {
            tokio::join!(
                bench.drain(&handler),
                bench.drain_as(config.clone(), &handler)
            );
            let now = bench.clock.now_ms();
            begun.extend(vec![now; handler.ran().len() - begun.len()]);
            bench.advance(Duration::from_millis(601));
        }
        for (n, first) in begun.iter().enumerate() {
            let minute = begun[n..].iter().take_while(|at| **at - first < 60_000);
            let minute = minute.count();
            assert!(minute <= per_minute as usize, "{minute} of {per_minute}");
        }
        // At least nine tenths of what is allowed in four minutes.
        let fair = 4 * per_minute as usize * 9 / 10;
        assert!(
            begun.len() >= fair.saturating_sub(1),
            "{} of {fair}",
            begun.len()
        );
    }
}
