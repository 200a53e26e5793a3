//! Enqueueing combined with an idempotency exchange.

use std::time::Duration;

use shared::queue::{Enqueued, JobState};
use shared::redis::Exchange;
use shared::redis::commands::{Keys as _, Strings as _, strings::SetOptions};

use super::cut::run_cut_on;
use super::cut_options::enqueue;
use super::{Bench, duplicate};

const KEY: &str = "trawl:idempotency:api:k";

fn exchange() -> Exchange {
    Exchange {
        key: KEY.to_owned(),
        old: "mine".to_owned(),
        new: "done".to_owned(),
        keep: Duration::from_secs(60),
    }
}

async fn hold(bench: &Bench, value: &str) {
    let set = bench.redis();
    set.set(KEY, value, SetOptions::new()).await.unwrap();
}

#[tokio::test]
async fn the_exchange_is_made_with_new_jobs_and_expires() {
    let bench = Bench::start().await;
    hold(&bench, "mine").await;
    let jobs = vec![bench.job("work"), bench.job("work")];
    let ids: Vec<_> = jobs
        .iter()
        .map(|job| Enqueued::New(job.id.clone()))
        .collect();
    let stored = bench
        .queue
        .enqueue_once(jobs.clone(), Some(&exchange()))
        .await;
    assert_eq!(stored.unwrap(), ids);
    assert_eq!(
        bench.redis().get(KEY).await.unwrap().as_deref(),
        Some("done")
    );
    // Sent again, as after a lost reply.
    let again = bench.queue.enqueue_once(jobs, Some(&exchange())).await;
    assert_eq!(again.unwrap(), ids);
    assert_eq!(bench.count(JobState::Waiting).await, 2);
    let left_ms = bench.redis().pttl(KEY).await.unwrap();
    assert!((1..=60_000).contains(&left_ms), "{left_ms}");
}

#[tokio::test]
async fn no_work_is_done_for_a_caller_that_lost_the_key() {
    for held in [None, Some("another's")] {
        let bench = Bench::start().await;
        if let Some(value) = held {
            hold(&bench, value).await;
        }
        let jobs = vec![bench.job("work")];
        let stored = bench.queue.enqueue_once(jobs, Some(&exchange())).await;
        assert!(stored.is_err());
        assert_eq!(bench.count(JobState::Waiting).await, 0);
        assert_eq!(bench.redis().get(KEY).await.unwrap().as_deref(), held);
    }
}

#[tokio::test]
async fn the_idempotency_mark_stays_if_the_job_is_a_duplicate() {
    let bench = Bench::start().await;
    hold(&bench, "mine").await;
    let unique = || {
        let mut job = bench.job("work");
        job.unique = Some("u".to_owned());
        job
    };
    let first = unique();
    bench.queue.enqueue(first.clone()).await.unwrap();
    let jobs = vec![bench.job("work"), unique()];
    let stored = bench.queue.enqueue_once(jobs, Some(&exchange())).await;
    assert_eq!(stored.unwrap()[1], duplicate(first.id));
    assert_eq!(
        bench.redis().get(KEY).await.unwrap().as_deref(),
        Some("mine")
    );
}

#[tokio::test]
async fn a_script_that_dies_half_way_is_repaired_by_a_retry() {
    for writes in 0..4 {
        let bench = Bench::start().await;
        hold(&bench, "mine").await;
        let job = bench.job("work");
        let id = &job.id;
        let [request, spec] = enqueue(&bench, &job, serde_json::json!({}));
        let once = serde_json::json!({
            "old": "mine", "new": "done", "keep_ms": 60_000,
            "words": [[format!("new {id}"), format!("dup {id}")]],
        });
        let args = [request, spec, once.to_string()];
        let died = run_cut_on(&bench, "enqueue_once", writes, &[KEY], &args).await;
        assert_eq!(died, writes < 3, "{writes}");
        assert!(!run_cut_on(&bench, "enqueue_once", 99, &[KEY], &args).await);
        assert_eq!(
            bench.count(JobState::Waiting).await,
            1,
            "cut after {writes}"
        );
        assert_eq!(
            bench.redis().get(KEY).await.unwrap().as_deref(),
            Some("done")
        );
    }
}
