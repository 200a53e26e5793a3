//! Wrong clocks. The endpoint uses the system clock, as its replies show.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use integration::{Scripted, queue_on, start_endpoint};
use shared::clock::Clock;
use shared::config::QueueConfig;
use shared::queue::{Consumer, Error, JobId, NewJob, Queue};

use super::config;

/// The queue of a process whose clock is `ahead_ms` ahead and that has received a reply
/// before.
async fn queue_of_a_clock(endpoint: &upstash_local::Server, ahead_ms: i64) -> Queue {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let clock = Clock::manual(now.as_millis() as i64 + ahead_ms);
    let config = QueueConfig {
        clock_skew: Some(Duration::from_secs(30)),
        ..config()
    };
    let queue = queue_on(endpoint, &clock, config);
    queue.counts().await.unwrap();
    queue
}

fn job(queue: &Queue) -> NewJob {
    NewJob::new(JobId::new(queue.clock()), "work", &()).unwrap()
}

#[tokio::test]
async fn a_clock_more_than_30_s_off_neither_stores_nor_claims_and_says_so() {
    let endpoint = start_endpoint().await;
    let right = queue_of_a_clock(&endpoint, 5000).await;
    right.enqueue(job(&right)).await.unwrap();
    // The service reports whole seconds.
    for (ahead_ms, direction) in [(60_000, "ahead of"), (-60_000, "behind")] {
        let wrong = queue_of_a_clock(&endpoint, ahead_ms).await;
        let refused = wrong.enqueue(job(&wrong)).await.unwrap_err();
        let texts = [59, 60].map(|seconds| {
            format!("this machine's clock is {seconds} s {direction} the Redis service's")
        });
        assert!(texts.contains(&refused.to_string()), "{refused}");

        let handler = Scripted::default();
        let consumer = Consumer::new(wrong.clone(), std::sync::Arc::new(handler.clone()));
        let deadline = wrong.clock().deadline(Duration::from_secs(60));
        let stopped = consumer.drain(&deadline).await.unwrap_err();
        assert!(matches!(stopped, Error::ClockSkew { .. }));
        assert!(handler.ran().is_empty());
    }
    let consumer = Consumer::new(right.clone(), std::sync::Arc::new(Scripted::default()));
    let deadline = right.clock().deadline(Duration::from_secs(60));
    assert_eq!(consumer.drain(&deadline).await.unwrap().completed, 1);
}
