//! Unique keys, and the backlog limit.

use std::time::Duration;

use serde_json::json;
use shared::config::QueueConfig;
use shared::queue::{Cancelled, Enqueued, Error, JobId, JobState, NewJob, OnUnique};
use shared::redis::commands::Hashes as _;
use upstash_local::{Fault, FaultAction};

use super::{Bench, config, duplicate, gated, scripted, until_running};

fn with_key(bench: &Bench, on_unique: OnUnique) -> NewJob {
    NewJob {
        unique: Some("k".into()),
        on_unique,
        ..bench.job("work")
    }
}

fn delayed(bench: &Bench, on_unique: OnUnique, seconds: i64) -> NewJob {
    NewJob {
        run_at_ms: Some(bench.clock.now_ms() + seconds * 1000),
        ..with_key(bench, on_unique)
    }
}

fn lose_a_reply(bench: &Bench) {
    let fault = Fault::new(FaultAction::DropAfterCommit);
    bench
        .server
        .faults()
        .add(fault.matching("evalsha").times(1));
}

async fn enqueue(bench: &Bench, job: &NewJob) -> Enqueued {
    bench.queue.enqueue(job.clone()).await.unwrap()
}

fn is_new(job: &NewJob) -> Enqueued {
    Enqueued::New(job.id.clone())
}

fn stands(id: &JobId) -> Enqueued {
    duplicate(id.clone())
}

#[tokio::test]
async fn a_job_sent_again_later_is_still_the_same_job() {
    let bench = Bench::start().await;
    let job = bench.job("work");
    let mut jobs = vec![job.clone(), bench.job("work")];
    assert_eq!(enqueue(&bench, &job).await, is_new(&job));
    bench.advance(Duration::from_secs(5));
    assert_eq!(enqueue(&bench, &job).await, is_new(&job));
    let stored = bench.queue.enqueue_many(jobs.clone()).await.unwrap();
    assert_eq!(stored, jobs.iter().map(is_new).collect::<Vec<_>>());
    bench.queue.change(&job.id, Some(1), None).await.unwrap();
    assert_eq!(enqueue(&bench, &job).await, is_new(&job));
    assert_eq!(bench.read(&job.id).await.priority, 1);
    assert_eq!(bench.drain(&scripted()).await.completed, 2);
    assert_eq!(
        enqueue(&bench, &job).await,
        is_new(&job),
        "and after it is done"
    );
    assert_eq!(bench.drain(&scripted()).await.completed, 0);

    jobs[0].kind = "other".into();
    jobs[1].args = json!({ "n": 2 }).to_string();
    for other in jobs {
        let taken = bench.queue.enqueue(other).await;
        assert!(matches!(taken, Err(Error::IdTaken(_))), "{taken:?}");
    }
}

#[tokio::test]
async fn a_newer_job_replaces_one_that_waits_also_when_the_reply_is_lost() {
    let bench = Bench::start().await;
    let (first, second) = (
        delayed(&bench, OnUnique::Keep, 60),
        with_key(&bench, OnUnique::Replace),
    );
    enqueue(&bench, &first).await;
    lose_a_reply(&bench);
    assert_eq!(enqueue(&bench, &second).await, is_new(&second));
    bench.advance(Duration::from_secs(1));
    assert_eq!(
        enqueue(&bench, &second).await,
        is_new(&second),
        "and sent again"
    );
    let job = bench.read(&first.id).await;
    assert_eq!(job.state, JobState::Cancelled);
    assert_eq!(job.errors[0].error_message, "replaced by a newer job");
    assert_eq!(bench.drain(&scripted()).await.completed, 1);
    assert_eq!(bench.state(&second.id).await, JobState::Completed);
    let lifetime = bench.queue.stats().await.unwrap().lifetime;
    assert_eq!((lifetime.completed, lifetime.cancelled), (1, 1));
}

#[tokio::test]
async fn a_running_job_is_neither_replaced_nor_put_off() {
    let bench = Bench::start().await;
    let (handler, gate) = gated();
    let first = NewJob {
        kind: "gated".into(),
        ..with_key(&bench, OnUnique::Keep)
    };
    enqueue(&bench, &first).await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    for on_unique in [OnUnique::Replace, OnUnique::Debounce, OnUnique::Keep] {
        let late = with_key(&bench, on_unique);
        assert_eq!(enqueue(&bench, &late).await, stands(&first.id));
        assert!(bench.queue.job(&late.id).await.unwrap().is_none());
    }
    gate.add_permits(1);
    assert_eq!(drainer.await.unwrap().completed, 1);
    for on_unique in [OnUnique::Replace, OnUnique::Debounce] {
        let next = with_key(&bench, on_unique);
        assert_eq!(
            enqueue(&bench, &next).await,
            is_new(&next),
            "the key is free"
        );
        bench.drain(&handler).await;
    }
}

#[tokio::test]
async fn a_row_of_debounced_jobs_ends_in_one_run_after_the_last_with_its_arguments() {
    let bench = Bench::start().await;
    let first = delayed(&bench, OnUnique::Debounce, 10);
    assert_eq!(enqueue(&bench, &first).await, is_new(&first));
    for n in 1..=3 {
        bench.advance(Duration::from_secs(6));
        let next = NewJob {
            args: json!({ "n": n }).to_string(),
            priority: 2,
            ..delayed(&bench, OnUnique::Debounce, 10)
        };
        lose_a_reply(&bench);
        assert_eq!(
            enqueue(&bench, &next).await,
            Enqueued::Debounced(first.id.clone())
        );
        assert_eq!(bench.drain(&scripted()).await.claimed, 0);
        assert!(bench.queue.job(&next.id).await.unwrap().is_none());
    }
    bench.advance(Duration::from_secs(10));
    assert_eq!(bench.drain(&scripted()).await.completed, 1);
    let job = bench.read(&first.id).await;
    assert_eq!(
        (job.state, job.data.get(), job.priority),
        (JobState::Completed, "{\"n\":3}", 2)
    );
}

#[tokio::test]
async fn a_job_that_was_tried_before_is_replaced_but_not_put_off() {
    let bench = Bench::start().await;
    let first = NewJob {
        kind: "bad".into(),
        ..with_key(&bench, OnUnique::Keep)
    };
    enqueue(&bench, &first).await;
    bench.drain(&scripted()).await;
    let debounced = with_key(&bench, OnUnique::Debounce);
    assert_eq!(enqueue(&bench, &debounced).await, stands(&first.id));
    let replacing = with_key(&bench, OnUnique::Replace);
    assert_eq!(enqueue(&bench, &replacing).await, is_new(&replacing));
    assert_eq!(bench.state(&first.id).await, JobState::Cancelled);
}

#[tokio::test]
async fn within_one_call_the_first_job_with_a_unique_key_wins() {
    let bench = Bench::start().await;
    let old = delayed(&bench, OnUnique::Keep, 60);
    enqueue(&bench, &old).await;
    let jobs =
        [OnUnique::Replace, OnUnique::Replace, OnUnique::Keep].map(|on| with_key(&bench, on));
    let free = bench.job("work");
    let mut all = jobs.to_vec();
    all.push(free.clone());
    let stored = bench.queue.enqueue_many(all).await.unwrap();
    let first = &jobs[0];
    assert_eq!(
        stored,
        [
            is_new(first),
            stands(&first.id),
            stands(&first.id),
            is_new(&free)
        ]
    );
    assert_eq!(bench.drain(&scripted()).await.completed, 2);
    assert_eq!(bench.state(&old.id).await, JobState::Cancelled);
}

#[tokio::test]
async fn a_key_is_free_when_its_job_was_cancelled_or_failed() {
    let bench = Bench::start().await;
    let first = with_key(&bench, OnUnique::Keep);
    enqueue(&bench, &first).await;
    assert_eq!(
        bench.queue.cancel(&first.id).await.unwrap(),
        Cancelled::Done
    );
    let second = NewJob {
        kind: "never".into(),
        ..with_key(&bench, OnUnique::Keep)
    };
    assert_eq!(enqueue(&bench, &second).await, is_new(&second));
    bench.drain(&scripted()).await;
    let third = with_key(&bench, OnUnique::Keep);
    assert_eq!(enqueue(&bench, &third).await, is_new(&third));
}

#[tokio::test]
async fn a_purged_job_leaves_nothing_of_its_key_and_group_and_its_key_can_be_used() {
    let bench = Bench::with(QueueConfig {
        group_limit: Some(1),
        ..config()
    })
    .await;
    let job = NewJob {
        group: Some("g".into()),
        ..with_key(&bench, OnUnique::Keep)
    };
    enqueue(&bench, &job).await;
    bench.drain(&scripted()).await;
    bench.queue.purge(&job.id).await.unwrap();
    let left = bench
        .redis()
        .hgetall(&bench.queue.keys().records)
        .await
        .unwrap();
    assert!(left.keys().all(|field| field.starts_with('#')), "{left:?}");
    let next = with_key(&bench, OnUnique::Keep);
    assert_eq!(enqueue(&bench, &next).await, is_new(&next));
}

/// A queue with room for three jobs.
async fn small() -> Bench {
    Bench::with(QueueConfig {
        backlog: Some(3),
        ..config()
    })
    .await
}

#[tokio::test]
async fn a_full_queue_refuses_new_jobs_and_knows_those_it_has() {
    let bench = small().await;
    let kept = with_key(&bench, OnUnique::Keep);
    enqueue(&bench, &kept).await;
    bench.enqueue("work").await;
    let last = bench.job("work");
    enqueue(&bench, &last).await;
    assert!(matches!(
        bench.queue.enqueue(bench.job("work")).await,
        Err(Error::Full)
    ));
    assert_eq!(enqueue(&bench, &last).await, is_new(&last), "sent again");
    let twin = with_key(&bench, OnUnique::Keep);
    assert_eq!(enqueue(&bench, &twin).await, stands(&kept.id));
    let replacing = with_key(&bench, OnUnique::Replace);
    assert_eq!(
        enqueue(&bench, &replacing).await,
        is_new(&replacing),
        "one for one"
    );
    assert_eq!(bench.drain(&scripted()).await.completed, 3);
    bench.enqueue("work").await;
}

#[tokio::test]
async fn a_call_too_large_for_the_queue_stores_nothing() {
    let bench = small().await;
    let jobs: Vec<NewJob> = (0..4).map(|_| bench.job("work")).collect();
    let full = bench.queue.enqueue_many(jobs.clone()).await;
    assert!(matches!(full, Err(Error::Full)));
    assert_eq!(bench.count(JobState::Waiting).await, 0);
    bench.queue.enqueue_many(jobs[..3].to_vec()).await.unwrap();
    let again = bench.queue.enqueue_many(jobs[..3].to_vec()).await.unwrap();
    assert!(again.iter().all(|stored| !stored.is_duplicate()));
    assert_eq!(bench.count(JobState::Waiting).await, 3);
}

#[tokio::test]
async fn a_pause_takes_no_room_in_the_backlog() {
    let bench = small().await;
    bench.queue.pause().await.unwrap();
    for _ in 0..3 {
        bench.enqueue("work").await;
    }
    assert!(matches!(
        bench.queue.enqueue(bench.job("work")).await,
        Err(Error::Full)
    ));
}
