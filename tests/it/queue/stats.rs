//! Statistics of a queue.

use std::time::Duration;

use shared::queue::{NewJob, Outcome, Stats, Totals};

use super::{Bench, scripted, until_running};

async fn stats(bench: &Bench) -> Stats {
    bench.queue.stats().await.unwrap()
}

#[tokio::test]
async fn an_empty_queue_has_no_rates_and_no_ages() {
    let bench = Bench::start().await;
    let stats = stats(&bench).await;
    assert_eq!(
        (
            stats.oldest_waiting_ms,
            stats.failure_rate,
            stats.average_processing_ms
        ),
        (None, None, None)
    );
    assert_eq!(
        (stats.waiting, stats.completed_per_minute, stats.lifetime),
        (0, 0.0, Totals::default())
    );
}

#[tokio::test]
async fn each_statistic_is_what_its_name_says() {
    let bench = Bench::start().await;
    let clock = bench.clock.clone();
    let handler = scripted().on("slow", move |_| {
        // Advances the drainer's clock, so no real time passes.
        clock.advance(Duration::from_millis(300));
        async { Outcome::Done(1.into()) }
    });
    for kind in ["slow", "slow", "never", "bad", "cancelled", "later"] {
        bench.enqueue(kind).await;
    }
    bench
        .queue
        .enqueue(NewJob {
            max_attempts: Some(1),
            ..bench.job("held")
        })
        .await
        .unwrap();
    let drainer = bench.start_drain(&handler, 9000).task;
    until_running(&handler, 7).await;
    while stats(&bench).await.active > 1 {
        tokio::task::yield_now().await;
    }
    let now = stats(&bench).await;
    let states = [
        now.waiting,
        now.delayed,
        now.active,
        now.completed,
        now.failed,
        now.cancelled,
    ];
    assert_eq!(states.iter().sum::<u64>(), 7);
    assert_eq!(states[2..], [1, 2, 1, 1]);
    drainer.abort();
    bench.queue.pause().await.unwrap();
    bench.advance(Duration::from_secs(60));
    bench.drain(&handler).await;
    let now = stats(&bench).await;
    let expected = Totals {
        completed: 2,
        failed: 1,
        cancelled: 1,
        retried: 1,
        stalled: 1,
    };
    assert_eq!(
        (now.lifetime, now.today, now.paused),
        (expected, expected, true)
    );
    assert_eq!(
        (
            now.completed_per_minute,
            now.failed_per_minute,
            now.retried_per_minute
        ),
        (0.2, 0.1, 0.1)
    );
    assert_eq!(now.failure_rate, Some(1.0 / 3.0));
    // Both were claimed at once, and the second waited for the first.
    let average = now.average_processing_ms.unwrap();
    assert!((300.0..=600.0).contains(&average), "{average}");

    bench.advance(Duration::from_secs(24 * 3600));
    let now = stats(&bench).await;
    assert_eq!((now.lifetime, now.today), (expected, Totals::default()));
    assert_eq!(now.failure_rate, None);
}

#[tokio::test]
async fn throughput_is_that_of_the_last_ten_whole_minutes_however_long_it_goes_on() {
    let bench = Bench::start().await;
    let handler = scripted();
    for minute in 0..40 {
        for _ in 0..minute % 3 {
            bench.enqueue("work").await;
        }
        bench.drain(&handler).await;
        // The current minute does not count yet.
        let expected: u64 = (1..=10)
            .map(|ago| if ago > minute { 0 } else { (minute - ago) % 3 })
            .sum();
        assert_eq!(
            stats(&bench).await.completed_per_minute,
            expected as f64 / 10.0,
            "minute {minute}"
        );
        bench.advance(Duration::from_secs(60));
    }
    bench.advance(Duration::from_secs(11 * 60));
    assert_eq!(stats(&bench).await.completed_per_minute, 0.0);
    // The ring buffer wraps around to the same slot.
    bench.advance(Duration::from_secs(5 * 60));
    bench.enqueue("work").await;
    bench.drain(&handler).await;
    bench.advance(Duration::from_secs(60));
    assert_eq!(stats(&bench).await.completed_per_minute, 0.1);
    assert_eq!(stats(&bench).await.lifetime.completed, 40);
}

#[tokio::test]
async fn the_age_of_the_next_job_is_told_whatever_its_priority() {
    for priority in [1, 5, 10] {
        let bench = Bench::start().await;
        let job = NewJob {
            priority,
            ..bench.job("work")
        };
        bench.queue.enqueue(job).await.unwrap();
        bench.advance(Duration::from_secs(90));
        assert_eq!(
            stats(&bench).await.oldest_waiting_ms,
            Some(90_000),
            "{priority}"
        );
    }
}

#[tokio::test]
async fn a_job_that_was_delayed_a_little_waits_from_when_it_is_due() {
    let bench = Bench::start().await;
    let job = NewJob {
        run_at_ms: Some(bench.clock.now_ms() + 60_000),
        ..bench.job("work")
    };
    bench.queue.enqueue(job).await.unwrap();
    assert_eq!(stats(&bench).await.oldest_waiting_ms, None);
    bench.queue.pause().await.unwrap();
    bench.advance(Duration::from_secs(70));
    bench.drain(&scripted()).await;
    assert_eq!(stats(&bench).await.oldest_waiting_ms, Some(10_000));
}
