//! Arguments and results that are too large for the job's record.

use std::time::Duration;

use serde_json::{Value, json};
use shared::queue::{Cancelled, Error, JobId, JobState, NewJob, Outcome, Purged};
use shared::redis::commands::Keys as _;

use super::{Bench, no, scripted};

const INLINE: usize = 4 * 1024;
const MOST: usize = 1024 * 1024;
/// What `PTTL` returns for a key without an expiry, and for a missing key.
const STAYS: i64 = -1;
const NONE: i64 = -2;

/// JSON text of `size` bytes.
fn text(size: usize) -> String {
    format!("\"{}\"", "x".repeat(size - 2))
}

fn sized(bench: &Bench, kind: &str, size: usize) -> NewJob {
    NewJob {
        args: text(size),
        ..bench.job(kind)
    }
}

async fn args_ttl(bench: &Bench, id: &JobId) -> i64 {
    bench
        .redis()
        .pttl(&bench.queue.keys().args(id))
        .await
        .unwrap()
}

async fn result_ttl(bench: &Bench, id: &JobId) -> i64 {
    let key = bench.queue.keys().result(id, 1);
    bench.redis().pttl(&key).await.unwrap()
}

#[tokio::test]
async fn arguments_of_any_size_up_to_a_megabyte_reach_the_handler() {
    let bench = Bench::start().await;
    let handler = scripted().on("measure", |job| async move {
        Outcome::Done(json!(job.args().len()))
    });
    for size in [2, INLINE - 1, INLINE, INLINE + 1, MOST] {
        let job = sized(&bench, "measure", size);
        bench.queue.enqueue(job.clone()).await.unwrap();
        let kept = if size > INLINE { STAYS } else { NONE };
        assert_eq!(args_ttl(&bench, &job.id).await, kept, "{size}");
        assert_eq!(bench.drain(&handler).await.completed, 1);
        let read = bench.read(&job.id).await;
        assert_eq!(read.returnvalue, Some(json!(size)));
        assert_eq!(read.data.get(), job.args);
        assert_eq!(args_ttl(&bench, &job.id).await > 0, size > INLINE, "{size}");
    }
    let over = bench
        .queue
        .enqueue(sized(&bench, "measure", MOST + 1))
        .await;
    assert!(matches!(over, Err(Error::TooLarge(_))), "{over:?}");
}

#[tokio::test]
async fn many_large_arguments_are_stored_in_one_call() {
    let bench = Bench::start().await;
    let handler = scripted().on("measure", |job| async move {
        Outcome::Done(json!(job.args().len()))
    });
    let jobs: Vec<NewJob> = (0..9).map(|n| sized(&bench, "measure", MOST - n)).collect();
    bench.queue.enqueue_many(jobs.clone()).await.unwrap();
    assert_eq!(bench.drain(&handler).await.completed, 9);
    for (n, job) in jobs.iter().enumerate() {
        assert_eq!(bench.read(&job.id).await.returnvalue, Some(json!(MOST - n)));
    }
}

#[tokio::test]
async fn results_up_to_a_megabyte_are_kept_and_a_larger_one_is_dropped_without_failing_the_job() {
    let bench = Bench::start().await;
    for size in [INLINE - 1, INLINE, INLINE + 1, MOST, MOST + 1] {
        let handler = scripted().on("say", move |_| async move {
            Outcome::Done(Value::from("x".repeat(size - 2)))
        });
        let id = bench.enqueue("say").await;
        assert_eq!(bench.drain(&handler).await.completed, 1, "{size}");
        let job = bench.read(&id).await;
        assert_eq!(job.state, JobState::Completed);
        assert_eq!(job.result_dropped, size > MOST, "{size}");
        let kept = job.returnvalue.map(|value| value.to_string().len());
        assert_eq!(kept, (size <= MOST).then_some(size));
        let has_own_key = size > INLINE && size <= MOST;
        assert_eq!(result_ttl(&bench, &id).await > 0, has_own_key, "{size}");
    }
}

#[tokio::test]
async fn retention_and_purge_delete_what_has_a_key_of_its_own() {
    let bench = Bench::start().await;
    let handler = scripted().on("echo", |job| async move {
        Outcome::Done(serde_json::from_str(job.args()).unwrap())
    });
    let (aged, purged) = (sized(&bench, "echo", 5000), sized(&bench, "echo", 5000));
    bench
        .queue
        .enqueue_many(vec![aged.clone(), purged.clone()])
        .await
        .unwrap();
    bench.drain(&handler).await;
    assert!(result_ttl(&bench, &aged.id).await > 0);
    assert_eq!(bench.queue.purge(&purged.id).await.unwrap(), Purged::Done);
    assert_eq!(args_ttl(&bench, &purged.id).await, NONE);
    assert_eq!(result_ttl(&bench, &purged.id).await, NONE);
    assert!(args_ttl(&bench, &aged.id).await > 24 * 3_600_000);
    bench.advance(Duration::from_secs(24 * 3600 + 1));
    assert_eq!(bench.queue.retain().await.unwrap(), 1);
    assert_eq!(args_ttl(&bench, &aged.id).await, NONE);
    assert_eq!(result_ttl(&bench, &aged.id).await, NONE);
}

#[tokio::test]
async fn however_a_job_ends_its_large_arguments_are_given_an_expiry() {
    let bench = Bench::start().await;
    let handler = scripted();
    let cancelled = sized(&bench, "work", 5000);
    let expired = NewJob {
        expires_ms: Some(bench.clock.now_ms() + 1000),
        ..sized(&bench, "work", 5000)
    };
    let jobs = vec![cancelled.clone(), expired.clone()];
    bench.queue.enqueue_many(jobs).await.unwrap();
    assert_eq!(
        bench.queue.cancel(&cancelled.id).await.unwrap(),
        Cancelled::Done
    );
    bench.advance(Duration::from_secs(1));
    bench.drain(&handler).await;
    let swept = sized(&bench, "held", 5000);
    bench.queue.enqueue(swept.clone()).await.unwrap();
    for round in 1..=3 {
        let drainer = bench.start_drain(&handler, 900).task;
        super::until_running(&handler, round).await;
        drainer.abort();
        bench.advance(Duration::from_secs(60));
    }
    bench.drain(&handler).await;
    for job in [cancelled, expired, swept] {
        let state = bench.state(&job.id).await;
        assert!(state.is_finished());
        assert!(args_ttl(&bench, &job.id).await > 0, "{state:?}");
    }
}

#[tokio::test]
async fn a_redriven_job_keeps_its_arguments_again_until_it_is_finished() {
    let bench = Bench::start().await;
    let handler = scripted();
    let job = sized(&bench, "never", 5000);
    bench.queue.enqueue(job.clone()).await.unwrap();
    bench.drain(&handler).await;
    assert!(args_ttl(&bench, &job.id).await > 0);
    bench.queue.redrive(&job.id).await.unwrap();
    assert_eq!(args_ttl(&bench, &job.id).await, STAYS);
    bench.advance(Duration::from_secs(30 * 24 * 3600));
    assert_eq!(bench.drain(&handler).await.failed, 1);
    assert_eq!(bench.read(&job.id).await.data.get(), job.args);
}

#[tokio::test]
async fn a_job_with_the_id_of_another_does_not_touch_its_arguments() {
    let bench = Bench::start().await;
    let job = sized(&bench, "work", 5000);
    bench.queue.enqueue(job.clone()).await.unwrap();
    let thief = NewJob {
        args: text(6000),
        ..job.clone()
    };
    let refused = bench.queue.enqueue(thief).await;
    assert!(matches!(refused, Err(Error::IdTaken(_))), "{refused:?}");
    assert_eq!(args_ttl(&bench, &job.id).await, STAYS);
    assert_eq!(bench.read(&job.id).await.data.get(), job.args);
}

#[tokio::test]
async fn arguments_of_a_job_that_was_never_stored_expire() {
    let bench = Bench::start().await;
    let unique = |job: NewJob| NewJob {
        unique: Some("k".into()),
        ..job
    };
    bench
        .queue
        .enqueue(unique(bench.job("work")))
        .await
        .unwrap();
    let twin = unique(sized(&bench, "work", 5000));
    assert!(
        bench
            .queue
            .enqueue(twin.clone())
            .await
            .unwrap()
            .is_duplicate()
    );
    assert!(args_ttl(&bench, &twin.id).await > 0);
}

#[tokio::test]
async fn a_job_whose_arguments_are_gone_fails_and_says_so() {
    let bench = Bench::start().await;
    let handler = scripted();
    let job = sized(&bench, "work", 5000);
    bench.queue.enqueue(job.clone()).await.unwrap();
    let key = bench.queue.keys().args(&job.id);
    bench.redis().del(&[&key]).await.unwrap();
    assert_eq!(bench.drain(&handler).await.failed, 1);
    let job = bench.read(&job.id).await;
    assert_eq!(
        job.failed_reason.as_deref(),
        Some("the job's arguments are gone")
    );
    assert!(handler.ran().is_empty());
}

#[tokio::test]
async fn a_completed_job_whose_result_is_missing_stays_completed() {
    let bench = Bench::start().await;
    let handler = scripted().on("say", |_| async {
        Outcome::Done(Value::from("x".repeat(5000)))
    });
    let id = bench.enqueue("say").await;
    bench.drain(&handler).await;
    let key = bench.queue.keys().result(&id, 1);
    bench.redis().del(&[&key]).await.unwrap();
    let job = bench.read(&id).await;
    assert_eq!((job.state, job.returnvalue), (JobState::Completed, None));
}

#[tokio::test]
async fn the_checkpoint_of_a_failed_job_is_not_mistaken_for_a_result() {
    let bench = Bench::start().await;
    let handler = scripted().on("both", |job| async move {
        match job.fence() {
            1 => {
                job.set_checkpoint(format!("\"{}\"", "c".repeat(100)));
                Outcome::Snooze {
                    after: Duration::ZERO,
                }
            }
            _ => no(),
        }
    });
    let id = bench.enqueue("both").await;
    for _ in 0..2 {
        bench.drain(&handler).await;
        bench.advance(Duration::from_millis(1));
    }
    let job = bench.read(&id).await;
    assert_eq!((job.state, job.returnvalue), (JobState::Failed, None));
}
