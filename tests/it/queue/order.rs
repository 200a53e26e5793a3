//! The order in which jobs run.

use std::time::Duration;

use shared::config::{QueueConfig, Rate};
use shared::queue::{JobId, JobState, NewJob};

use super::{Bench, config, scripted};

/// One job at a time.
fn one_by_one() -> QueueConfig {
    QueueConfig {
        concurrency: 1,
        ..config()
    }
}

async fn enqueue(bench: &Bench, priority: u8, delay_ms: i64) -> JobId {
    let job = NewJob {
        priority,
        run_at_ms: Some(bench.clock.now_ms() + delay_ms),
        ..bench.job("work")
    };
    let id = job.id.clone();
    bench.queue.enqueue(job).await.unwrap();
    bench.advance(Duration::from_millis(1));
    id
}

/// The jobs in the order in which a drain ran them.
async fn order(bench: &Bench) -> Vec<String> {
    let handler = scripted();
    bench.drain(&handler).await;
    handler.ran().into_iter().map(|(id, _)| id).collect()
}

#[tokio::test]
async fn jobs_of_one_priority_run_in_the_order_they_came() {
    let bench = Bench::with(one_by_one()).await;
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.push(enqueue(&bench, 5, 0).await.to_string());
    }
    assert_eq!(order(&bench).await, ids);
}

#[tokio::test]
async fn a_lower_number_runs_first_among_jobs_of_one_moment() {
    let bench = Bench::with(one_by_one()).await;
    let mut ids = Vec::new();
    for priority in [10, 3, 7, 1, 5] {
        ids.push((priority, enqueue(&bench, priority, 0).await.to_string()));
    }
    ids.sort();
    let ids: Vec<String> = ids.into_iter().map(|(_, id)| id).collect();
    assert_eq!(order(&bench).await, ids);
}

#[tokio::test]
async fn priority_ten_runs_within_nine_times_the_aging_under_endless_priority_one() {
    // One job starts per minute, and two jobs with priority 1 are added per minute.
    let bench = Bench::with(QueueConfig {
        rate: Some(Rate {
            interval: Duration::from_secs(60),
            burst: 1,
        }),
        aging: Duration::from_secs(600),
        ..one_by_one()
    })
    .await;
    for _ in 0..5 {
        enqueue(&bench, 1, 0).await;
    }
    let last = enqueue(&bench, 10, 0).await;
    let handler = scripted();
    for minute in 0..=2 * 90 + 10 {
        enqueue(&bench, 1, 0).await;
        enqueue(&bench, 1, 0).await;
        bench.drain(&handler).await;
        bench.advance(Duration::from_secs(60));
        let done = bench.state(&last).await == JobState::Completed;
        // The jobs that were added in the first 90 minutes run before it.
        assert_eq!(done, minute >= 2 * 90 + 5, "minute {minute}");
        if done {
            return;
        }
    }
    panic!("never");
}

#[tokio::test]
async fn a_job_due_later_waits_from_when_it_is_due_and_priority_decides_among_all() {
    let bench = Bench::with(one_by_one()).await;
    let later = enqueue(&bench, 5, 2000).await.to_string();
    let sooner = enqueue(&bench, 5, 1000).await.to_string();
    let now = enqueue(&bench, 5, 0).await.to_string();
    let urgent = enqueue(&bench, 1, 1500).await.to_string();
    bench.advance(Duration::from_secs(3));
    assert_eq!(order(&bench).await, [urgent, now, sooner, later]);
}

#[tokio::test]
async fn no_job_runs_before_its_time_and_one_in_the_past_runs_at_once() {
    let bench = Bench::start().await;
    let later = enqueue(&bench, 1, 10_000).await;
    let past = NewJob {
        run_at_ms: Some(5),
        ..bench.job("work")
    };
    bench.queue.enqueue(past.clone()).await.unwrap();
    assert_eq!(order(&bench).await, [past.id.to_string()]);
    bench.advance(Duration::from_millis(9998));
    assert_eq!(order(&bench).await.len(), 0);
    bench.advance(Duration::from_millis(1));
    assert_eq!(order(&bench).await, [later.to_string()]);
}

#[tokio::test]
async fn more_jobs_due_at_once_than_one_round_promotes_all_run() {
    let bench = Bench::start().await;
    let run_at_ms = Some(bench.clock.now_ms() + 1000);
    for _ in 0..2 {
        let jobs = (0..100).map(|_| NewJob {
            run_at_ms,
            ..bench.job("work")
        });
        bench.queue.enqueue_many(jobs.collect()).await.unwrap();
    }
    bench.advance(Duration::from_secs(1));
    assert_eq!(order(&bench).await.len(), 200);
}

#[tokio::test]
async fn with_an_aging_of_zero_priority_is_strict() {
    let bench = Bench::with(QueueConfig {
        aging: Duration::ZERO,
        ..one_by_one()
    })
    .await;
    let mut ids = Vec::new();
    for (day, priority) in [10, 9, 5, 5, 2, 1].into_iter().enumerate() {
        ids.push((
            priority,
            day,
            enqueue(&bench, priority, 0).await.to_string(),
        ));
        bench.advance(Duration::from_secs(86_400 * 60));
    }
    ids.sort();
    let ids: Vec<String> = ids.into_iter().map(|(.., id)| id).collect();
    assert_eq!(order(&bench).await, ids);
}
