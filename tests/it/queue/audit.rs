//! Repairs of a queue after writes were lost.

use std::time::Duration;

use shared::config::QueueConfig;
use shared::queue::{Audited, JobId, JobState, NewJob};
use shared::redis::commands::{Hashes as _, SortedSets as _};

use super::{Bench, config, scripted, until_running};

async fn audit(bench: &Bench) -> (u64, u64) {
    let Audited { jobs, repaired, .. } = bench.queue.audit().await.unwrap();
    (jobs, repaired)
}

async fn forget_in(bench: &Bench, set: &str, id: &JobId) {
    assert_eq!(bench.redis().zrem(set, &[id.as_str()]).await.unwrap(), 1);
}

#[tokio::test]
async fn an_audit_of_a_healthy_queue_changes_nothing() {
    let bench = Bench::start().await;
    assert_eq!(audit(&bench).await, (0, 0));
    for kind in ["work", "bad", "never", "later", "cancelled"] {
        bench.enqueue(kind).await;
    }
    let unique = NewJob {
        unique: Some("01ARZ3NDEKTSV4RRFFQ69G5FAV".into()),
        group: Some("01ARZ3NDEKTSV4RRFFQ69G5FAV".into()),
        ..bench.job("work")
    };
    bench.queue.enqueue(unique).await.unwrap();
    bench.drain(&scripted()).await;
    bench.enqueue("work").await;
    let held = bench.enqueue("held").await;
    let handler = scripted();
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 2).await;
    while bench.count(JobState::Completed).await < 3 {
        tokio::task::yield_now().await;
    }
    let keys = bench.queue.keys();
    let before = bench.redis().hgetall(&keys.records).await.unwrap();
    let counts = bench.queue.counts().await.unwrap();
    assert_eq!(audit(&bench).await, (8, 0));
    assert_eq!(bench.redis().hgetall(&keys.records).await.unwrap(), before);
    assert_eq!(bench.queue.counts().await.unwrap(), counts);
    assert_eq!(bench.state(&held).await, JobState::Active);
    drainer.abort();
}

#[tokio::test]
async fn a_job_missing_from_both_sets_is_restored_and_runs() {
    let bench = Bench::start().await;
    let index = bench.queue.keys().index.clone();
    let waiting = bench.enqueue("work").await;
    let retried = bench.enqueue("bad").await;
    let later = NewJob {
        run_at_ms: Some(bench.clock.now_ms() + 5000),
        ..bench.job("work")
    };
    bench.queue.enqueue(later.clone()).await.unwrap();
    bench
        .queue
        .change(&waiting, None, Some(bench.clock.now_ms() + 1))
        .await
        .unwrap();
    bench.drain(&scripted()).await;
    for id in [&waiting, &retried, &later.id] {
        forget_in(&bench, &index, id).await;
    }
    bench.advance(Duration::from_secs(1));
    assert_eq!(bench.drain(&scripted()).await.claimed, 0);
    assert_eq!(audit(&bench).await, (3, 3));
    let report = bench.drain(&scripted()).await;
    assert_eq!(
        (report.completed, report.retried),
        (1, 1),
        "each at its time"
    );
    bench.advance(Duration::from_secs(4));
    bench.drain(&scripted()).await;
    assert_eq!(bench.state(&later.id).await, JobState::Completed);
    assert_eq!(audit(&bench).await, (3, 0));
}

#[tokio::test]
async fn a_running_job_missing_from_both_sets_is_left_to_its_drainer_and_then_to_the_sweep() {
    let bench = Bench::start().await;
    let handler = scripted();
    let id = bench.enqueue("held").await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    drainer.abort();
    forget_in(&bench, &bench.queue.keys().index, &id).await;
    assert_eq!(audit(&bench).await, (1, 1));
    bench.advance(Duration::from_secs(59));
    assert_eq!(bench.drain(&handler).await.claimed, 0);
    bench.advance(Duration::from_secs(1));
    let handler = scripted().on("held", |_| async { shared::queue::Outcome::Cancelled });
    assert_eq!(bench.drain(&handler).await.cancelled, 1);
}

#[tokio::test]
async fn a_finished_job_missing_from_both_sets_is_listed_again_and_deleted_in_time() {
    let bench = Bench::start().await;
    let ids = [
        bench.enqueue("work").await,
        bench.enqueue("never").await,
        bench.enqueue("cancelled").await,
    ];
    bench.drain(&scripted()).await;
    let before = bench.queue.counts().await.unwrap();
    for id in &ids {
        forget_in(&bench, &bench.queue.keys().finished, id).await;
    }
    bench.advance(Duration::from_secs(3600));
    assert_eq!(audit(&bench).await, (3, 3));
    assert_eq!(bench.queue.counts().await.unwrap(), before);
    bench.advance(Duration::from_secs(23 * 3600 + 1));
    assert_eq!(
        bench.queue.retain().await.unwrap(),
        1,
        "by when it finished"
    );
}

#[tokio::test]
async fn a_job_in_both_sets_stays_in_the_one_that_matches_its_header() {
    let bench = Bench::start().await;
    let done = bench.enqueue("work").await;
    bench.drain(&scripted()).await;
    let waiting = bench.enqueue("work").await;
    let keys = bench.queue.keys();
    bench
        .redis()
        .zadd(&keys.index, &[(5.0, done.as_str())])
        .await
        .unwrap();
    bench
        .redis()
        .zadd(&keys.finished, &[(5.0, waiting.as_str())])
        .await
        .unwrap();
    audit(&bench).await;
    let counts: Vec<u64> = bench
        .queue
        .counts()
        .await
        .unwrap()
        .into_iter()
        .map(|(_, n)| n)
        .collect();
    assert_eq!(counts, [1, 0, 0, 1, 0, 0]);
    assert_eq!(bench.drain(&scripted()).await.completed, 1);
}

#[tokio::test]
async fn what_is_indexed_and_not_stored_is_dropped_by_the_next_look() {
    let bench = Bench::start().await;
    let id = bench.enqueue("work").await;
    let keys = bench.queue.keys();
    bench
        .redis()
        .hdel(&keys.records, &[&format!("{id}:p")])
        .await
        .unwrap();
    assert_eq!(bench.drain(&scripted()).await.claimed, 0);
    assert_eq!(bench.redis().zcard(&keys.index).await.unwrap(), 0);
}

#[tokio::test]
async fn a_parked_job_its_group_does_not_know_of_waits_again() {
    let bench = Bench::with(QueueConfig {
        group_limit: Some(1),
        ..config()
    })
    .await;
    let (handler, gate) = super::gated();
    let job = |kind: &str| NewJob {
        group: Some("g".into()),
        ..bench.job(kind)
    };
    bench.queue.enqueue(job("gated")).await.unwrap();
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    let parked = job("work");
    bench.queue.enqueue(parked.clone()).await.unwrap();
    bench.drain(&handler).await;
    let key = &bench.queue.keys().parked;
    assert_eq!(bench.redis().zcard(key).await.unwrap(), 1);
    let member = format!("g\0{:02}\0{}", 5, parked.id);
    assert_eq!(bench.redis().zrem(key, &[&member]).await.unwrap(), 1);
    gate.add_permits(1);
    assert_eq!(drainer.await.unwrap().completed, 1);
    assert_eq!(bench.drain(&handler).await.claimed, 0, "nobody lets it in");
    // At the start of an audit, parked jobs return to waiting; in a healthy queue this
    // repairs nothing.
    assert_eq!(audit(&bench).await, (2, 0));
    assert_eq!(bench.drain(&handler).await.completed, 1);
}

#[tokio::test]
async fn more_jobs_than_a_page_are_looked_at_each_once() {
    let bench = Bench::start().await;
    for _ in 0..12 {
        let jobs = (0..100).map(|_| bench.job("work")).collect();
        bench.queue.enqueue_many(jobs).await.unwrap();
    }
    assert_eq!(audit(&bench).await, (1200, 0));
}
