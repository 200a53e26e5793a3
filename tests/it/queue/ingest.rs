//! Jobs that other programs left in a stream.

use std::time::Duration;

use serde_json::json;
use shared::queue::{Ingested, JobId, JobState, NewJob, Queue, Redriven};
use shared::redis::commands::streams::{Entry, Trim};
use shared::redis::commands::{Keys as _, Streams as _};
use upstash_local::{Fault, FaultAction};

use super::{Bench, scripted};

const STREAM: &str = "trawl:foreign";

/// Parses an entry as a job: type, data and an optional unique key.
fn read(entry: &Entry, id: JobId) -> Result<NewJob, String> {
    let kind = entry.field("type").ok_or("type: expected one")?;
    let mut job = NewJob::new(id, kind, &json!({})).map_err(|error| error.to_string())?;
    job.args = entry.field("data").unwrap_or("{}").to_owned();
    job.unique = entry.field("key").map(str::to_owned);
    Ok(job)
}

/// Adds an entry. Each gets its own millisecond, because a stream restarts its IDs after
/// it was deleted.
async fn add(bench: &Bench, fields: &[(&str, &str)]) -> String {
    bench.advance(Duration::from_millis(1));
    bench
        .redis()
        .xadd(STREAM, "*", Trim::No, fields)
        .await
        .unwrap()
}

async fn ingest(queue: &Queue) -> Ingested {
    queue.ingest(STREAM, &read).await.unwrap()
}

fn taken(taken: u32, refused: u32) -> Ingested {
    Ingested { taken, refused }
}

async fn is_gone(bench: &Bench) -> bool {
    bench.redis().exists(&[STREAM]).await.unwrap() == 0
}

#[tokio::test]
async fn each_entry_becomes_one_job_and_the_emptied_stream_is_deleted() {
    let bench = Bench::start().await;
    assert_eq!(ingest(&bench.queue).await, taken(0, 0));
    for n in 0..250 {
        add(&bench, &[("type", "work"), ("data", &n.to_string())]).await;
    }
    assert_eq!(ingest(&bench.queue).await, taken(250, 0));
    assert!(is_gone(&bench).await);
    assert_eq!(ingest(&bench.queue).await, taken(0, 0));
    assert_eq!(bench.drain(&scripted()).await.completed, 250);
}

#[tokio::test]
async fn with_two_drainers_at_once_each_entry_becomes_one_job() {
    let bench = Bench::start().await;
    let other = integration::queue_on(&bench.server, &bench.clock, super::config());
    for _ in 0..10 {
        for _ in 0..30 {
            add(&bench, &[("type", "work")]).await;
        }
        let (one, two) = tokio::join!(ingest(&bench.queue), ingest(&other));
        assert_eq!(one.taken + two.taken, 30);
    }
    assert_eq!(bench.drain(&scripted()).await.completed, 300);
}

#[tokio::test]
async fn a_lost_reply_or_a_dead_drainer_neither_duplicates_nor_loses_a_job() {
    let bench = Bench::start().await;
    add(&bench, &[("type", "work")]).await;
    let lost = Fault::new(FaultAction::DropAfterCommit);
    bench.server.faults().add(lost.matching("evalsha").times(1));
    ingest(&bench.queue).await;
    assert!(is_gone(&bench).await);
    assert_eq!(bench.drain(&scripted()).await.completed, 1);

    // Stored by a drainer that died before it removed the entry.
    let entry = add(&bench, &[("type", "work")]).await;
    ingest(&bench.queue).await;
    bench
        .redis()
        .xadd(STREAM, &entry, Trim::No, &[("type", "work")])
        .await
        .unwrap();
    bench.advance(Duration::from_secs(60));
    ingest(&bench.queue).await;
    assert!(is_gone(&bench).await);
    assert_eq!(bench.drain(&scripted()).await.completed, 1);
    assert_eq!(bench.count(JobState::Completed).await, 2);
}

#[tokio::test]
async fn an_invalid_entry_becomes_a_failed_job_with_a_reason_and_does_not_delay_others() {
    let bench = Bench::start().await;
    add(&bench, &[("colour", "red")]).await;
    add(&bench, &[("type", ""), ("data", "1")]).await;
    add(&bench, &[("type", "work")]).await;
    let long = "x".repeat(200);
    add(&bench, &[("type", &long)]).await;
    assert_eq!(ingest(&bench.queue).await, taken(1, 3));
    assert!(is_gone(&bench).await);
    let (failed, _) = bench
        .queue
        .list(Some(JobState::Failed), None, 10)
        .await
        .unwrap();
    let mut shown: Vec<(String, String)> = failed
        .iter()
        .map(|job| (job.kind.clone(), job.failed_reason.clone().unwrap()))
        .collect();
    shown.sort();
    let bytes = "type: expected 1 to 128 bytes";
    let expected = [
        ("foreign", bytes),
        ("foreign", bytes),
        ("foreign", "type: expected one"),
    ];
    assert_eq!(
        shown,
        expected.map(|(kind, reason)| (kind.to_owned(), reason.to_owned()))
    );
    let red = failed
        .iter()
        .find(|job| job.data.get().contains("red"))
        .unwrap();
    assert_eq!(red.data.get(), "{\"colour\":\"red\"}");
    assert_eq!(bench.queue.stats().await.unwrap().lifetime.failed, 3);
    assert_eq!(bench.drain(&scripted()).await.completed, 1);
    assert_eq!(bench.queue.redrive(&red.id).await.unwrap(), Redriven::Done);
}

#[tokio::test]
async fn an_entry_too_large_for_a_job_is_refused_and_a_large_one_gets_a_key_of_its_own() {
    let bench = Bench::start().await;
    let json = |size: usize| format!("\"{}\"", "x".repeat(size - 2));
    add(
        &bench,
        &[("type", "work"), ("data", &json(1024 * 1024 + 1))],
    )
    .await;
    add(&bench, &[("type", "work"), ("data", &json(1024 * 1024))]).await;
    add(&bench, &[("colour", &json(2_000_000)), ("size", "huge")]).await;
    assert_eq!(ingest(&bench.queue).await, taken(1, 2));
    let (failed, _) = bench
        .queue
        .list(Some(JobState::Failed), None, 10)
        .await
        .unwrap();
    assert!(failed.iter().all(|job| job.data.get().len() <= 4096));
    let (waiting, _) = bench
        .queue
        .list(Some(JobState::Waiting), None, 10)
        .await
        .unwrap();
    let id = &waiting[0].id;
    let key = bench.queue.keys().args(id);
    assert_eq!(
        bench.redis().pttl(&key).await.unwrap(),
        -1,
        "it stays until it is done"
    );
    assert_eq!(bench.drain(&scripted()).await.completed, 1);
    assert_eq!(bench.read(id).await.data.get().len(), 1024 * 1024);
}

#[tokio::test]
async fn a_duplicate_by_its_unique_key_leaves_the_stream_and_the_first_runs() {
    let bench = Bench::start().await;
    for _ in 0..3 {
        add(&bench, &[("type", "work"), ("key", "k")]).await;
    }
    assert_eq!(ingest(&bench.queue).await, taken(3, 0));
    add(&bench, &[("type", "work"), ("key", "k")]).await;
    assert_eq!(ingest(&bench.queue).await, taken(1, 0));
    assert!(is_gone(&bench).await);
    assert_eq!(bench.drain(&scripted()).await.completed, 1);
}

#[tokio::test]
async fn a_full_queue_still_accepts_jobs_that_are_already_in_redis() {
    let bench = Bench::with(shared::config::QueueConfig {
        backlog: Some(1),
        ..super::config()
    })
    .await;
    bench.enqueue("work").await;
    add(&bench, &[("type", "work")]).await;
    assert_eq!(ingest(&bench.queue).await, taken(1, 0));
}
