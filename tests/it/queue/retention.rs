//! Deleting finished jobs.

use std::time::Duration;

use integration::Scripted;
use shared::config::QueueConfig;
use shared::queue::{JobState, Outcome};
use shared::redis::commands::Hashes as _;

use super::{Bench, config};

#[tokio::test]
async fn completed_jobs_are_kept_a_day_and_failed_ones_a_week() {
    let bench = Bench::start().await;
    let handler = Scripted::default().on("bad", |_| async {
        Outcome::Fail {
            reason: "no".into(),
        }
    });
    let good = bench.enqueue("work").await;
    let bad = bench.enqueue("bad").await;
    let gone = bench.enqueue("work").await;
    bench.queue.cancel(&gone).await.unwrap();
    bench.drain(&handler).await;
    bench.advance(Duration::from_secs(24 * 3600 - 1));
    assert_eq!(bench.queue.retain().await.unwrap(), 0);
    bench.advance(Duration::from_secs(2));
    assert_eq!(bench.queue.retain().await.unwrap(), 1);
    assert!(bench.queue.job(&good).await.unwrap().is_none());
    assert_eq!(bench.read(&bad).await.state, JobState::Failed);
    bench.advance(Duration::from_secs(6 * 24 * 3600));
    assert_eq!(bench.queue.retain().await.unwrap(), 2);
    assert!(bench.queue.job(&bad).await.unwrap().is_none());
    assert!(bench.queue.job(&gone).await.unwrap().is_none());
}

#[tokio::test]
async fn only_so_many_completed_jobs_are_kept_the_newest() {
    let bench = Bench::with(QueueConfig {
        completed_count: 10,
        ..config()
    })
    .await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        for _ in 0..5 {
            ids.push(bench.enqueue("work").await);
        }
        bench.drain(&Scripted::default()).await;
        bench.advance(Duration::from_secs(1));
    }
    assert_eq!(bench.queue.retain().await.unwrap(), 5);
    for (place, id) in ids.iter().enumerate() {
        assert_eq!(
            bench.queue.job(id).await.unwrap().is_some(),
            place >= 5,
            "{place}"
        );
    }
}

#[tokio::test]
async fn nothing_of_a_forgotten_job_is_left() {
    let bench = Bench::start().await;
    let mut job = bench.job("work");
    job.unique = Some("scan:1:forward".into());
    bench.queue.enqueue(job).await.unwrap();
    bench.drain(&Scripted::default()).await;
    bench.advance(Duration::from_secs(25 * 3600));
    bench.queue.retain().await.unwrap();
    let redis = crate::redis::client(&bench.server);
    let left = redis.hgetall(&bench.queue.keys().records).await.unwrap();
    assert!(left.keys().all(|field| field.starts_with('#')), "{left:?}");
    assert_eq!(left.get("#completed").map(String::as_str), Some("1"));
}

#[tokio::test]
async fn a_drainer_forgets_what_is_due_on_its_way_out() {
    let bench = Bench::start().await;
    let old = bench.enqueue("work").await;
    bench.drain(&Scripted::default()).await;
    bench.advance(Duration::from_secs(25 * 3600));
    bench.enqueue("work").await;
    assert_eq!(bench.drain(&Scripted::default()).await.forgotten, 1);
    assert!(bench.queue.job(&old).await.unwrap().is_none());
}
