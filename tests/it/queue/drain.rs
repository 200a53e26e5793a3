//! Claiming, running and settling jobs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use integration::Scripted;
use serde_json::json;
use shared::queue::{Cancelled, Consumer, Enqueued, JobState, Outcome, Redriven, Signal};
use upstash_local::{Fault, FaultAction};

use super::{Bench, config, duplicate, until_running};

fn lost(matching: &str) -> Fault {
    Fault {
        action: FaultAction::DropAfterCommit,
        matching: Some(matching.to_owned()),
        skip: 0,
        times: 1,
    }
}

#[tokio::test]
async fn a_job_sent_again_stays_one_job() {
    let bench = Bench::start().await;
    let job = bench.job("work");
    for _ in 0..3 {
        assert_eq!(
            bench.queue.enqueue(job.clone()).await.unwrap(),
            Enqueued::New(job.id.clone())
        );
    }
    let mut other = job.clone();
    other.args = "{}".into();
    assert!(
        bench.queue.enqueue(other).await.is_err(),
        "another job under the same id"
    );
    let handler = Scripted::default();
    assert_eq!(bench.drain(&handler).await.completed, 1);
    assert_eq!(
        bench.read(&job.id).await.returnvalue,
        Some(json!({ "ok": true }))
    );
}

#[tokio::test]
async fn while_a_job_is_unfinished_another_with_its_key_is_a_duplicate() {
    let bench = Bench::start().await;
    let unique = |key: &str| {
        let mut job = bench.job("work");
        job.unique = Some(key.to_owned());
        job
    };
    let first = bench.queue.enqueue(unique("k")).await.unwrap();
    let second = bench.queue.enqueue(unique("k")).await.unwrap();
    assert_eq!(second, duplicate(first.id().clone()));
    let many = bench
        .queue
        .enqueue_many(vec![unique("k"), unique("l"), unique("l")])
        .await
        .unwrap();
    assert!(many[0].is_duplicate() && !many[1].is_duplicate());
    assert_eq!(many[2], duplicate(many[1].id().clone()));
    bench.drain(&Scripted::default()).await;
    assert!(
        !bench
            .queue
            .enqueue(unique("k"))
            .await
            .unwrap()
            .is_duplicate()
    );
}

#[tokio::test]
async fn a_lost_reply_to_a_claim_hands_out_the_same_jobs_and_costs_no_attempt() {
    let bench = Bench::start().await;
    let mut ids = Vec::new();
    for _ in 0..7 {
        ids.push(bench.enqueue("work").await);
    }
    let handler = Scripted::default();
    bench.drain(&handler).await;
    bench.server.faults().add(lost("evalsha"));
    for _ in 0..7 {
        ids.push(bench.enqueue("work").await);
    }
    bench.server.faults().add(lost("evalsha"));
    let report = bench.drain(&handler).await;
    assert_eq!(report.completed, 7, "{report:?}");
    for id in ids {
        let job = bench.read(&id).await;
        assert_eq!(
            (job.state, job.attempts_made, job.fence),
            (JobState::Completed, 1, 1)
        );
    }
    assert_eq!(handler.ran().len(), 14);
    assert!(bench.server.faults().fired() >= 2);
}

#[tokio::test]
async fn a_failed_attempt_waits_and_the_last_one_fails_the_job() {
    let bench = Bench::start().await;
    let handler = Scripted::default().on("bad", |job| async move {
        Outcome::Retry {
            reason: format!("no luck {}", job.number),
            after: Some(Duration::from_secs(5)),
        }
    });
    let id = bench.enqueue("bad").await;
    for number in 1..=2 {
        assert_eq!(bench.drain(&handler).await.retried, 1);
        let job = bench.read(&id).await;
        assert_eq!((job.state, job.attempts_made), (JobState::Delayed, number));
        assert_eq!(bench.drain(&handler).await.claimed, 0, "too early");
        bench.advance(Duration::from_secs(5));
    }
    assert_eq!(bench.drain(&handler).await.failed, 1);
    let job = bench.read(&id).await;
    assert_eq!(
        (job.state, job.failed_reason.as_deref()),
        (JobState::Failed, Some("no luck 3"))
    );
    assert_eq!(
        job.errors
            .iter()
            .map(|error| error.attempt)
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(bench.queue.redrive(&id).await.unwrap(), Redriven::Done);
    bench.advance(Duration::from_millis(1));
    assert_eq!(
        bench.queue.redrive(&id).await.unwrap(),
        Redriven::NotFailed(JobState::Waiting)
    );
    bench.drain(&handler).await;
    assert_eq!(bench.read(&id).await.attempts_made, 1);
}

#[tokio::test]
async fn a_snooze_costs_no_attempt_and_keeps_its_checkpoint() {
    let bench = Bench::start().await;
    let handler = Scripted::default().on("long", |job| async move {
        let steps: u32 = job.checkpoint().map_or(0, |text| text.parse().unwrap());
        if steps == 4 {
            return Outcome::Done(json!(steps));
        }
        job.set_checkpoint((steps + 1).to_string());
        Outcome::Snooze {
            after: Duration::from_secs(1),
        }
    });
    let id = bench.enqueue("long").await;
    for _ in 0..5 {
        bench.drain(&handler).await;
        bench.advance(Duration::from_secs(1));
    }
    let job = bench.read(&id).await;
    assert_eq!(
        (job.returnvalue, job.attempts_made, job.fence),
        (Some(json!(4)), 1, 5)
    );
}

#[tokio::test]
async fn a_panic_is_one_failed_attempt_and_harms_no_other_job() {
    let bench = Bench::start().await;
    let handler = Scripted::default().on("panic", |_| async { panic!("boom") });
    let bad = bench.enqueue("panic").await;
    let good = bench.enqueue("work").await;
    let report = bench.drain(&handler).await;
    assert_eq!((report.completed, report.retried), (1, 1));
    assert_eq!(bench.read(&good).await.state, JobState::Completed);
    assert_eq!(
        bench.read(&bad).await.errors[0].error_message,
        "the handler panicked"
    );
}

/// Starts a drain that claims jobs and never ends, and kills it.
async fn claim_and_die(bench: &Bench, n: usize) {
    let handler = Scripted::default().on("work", |_| std::future::pending());
    let dying = bench.start_drain(&handler, 900).task;
    until_running(&handler, n).await;
    dying.abort();
    assert!(dying.await.is_err());
}

#[tokio::test]
async fn a_dead_drainers_jobs_run_again_when_their_lease_ends_and_not_before() {
    let bench = Bench::start().await;
    let id = bench.enqueue("work").await;
    claim_and_die(&bench, 1).await;
    let handler = Scripted::default();
    bench.advance(Duration::from_secs(59));
    assert_eq!(bench.drain(&handler).await.claimed, 0);
    bench.advance(Duration::from_secs(1));
    assert_eq!(bench.drain(&handler).await.completed, 1);
    let job = bench.read(&id).await;
    assert_eq!(
        (job.attempts_made, job.fence),
        (1, 2),
        "a stall is no attempt"
    );
}

#[tokio::test]
async fn a_job_that_kills_its_drainer_each_time_ends_with_that_reason() {
    let bench = Bench::start().await;
    let id = bench.enqueue("work").await;
    for _ in 0..3 {
        claim_and_die(&bench, 1).await;
        bench.advance(Duration::from_secs(60));
    }
    let handler = Scripted::default();
    let report = bench.drain(&handler).await;
    assert_eq!((report.swept, report.claimed), (1, 0), "{report:?}");
    let job = bench.read(&id).await;
    assert_eq!(job.state, JobState::Failed);
    assert!(
        job.failed_reason
            .unwrap()
            .starts_with("lease expired 3 times")
    );
    assert_eq!(handler.ended.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_attempt_that_lost_its_lease_settles_nothing() {
    let bench = Bench::start().await;
    let id = bench.enqueue("slow").await;
    let gate = Arc::new(tokio::sync::Notify::new());
    let opened = gate.clone();
    let slow = Scripted::default().on("slow", move |_| {
        let gate = gate.clone();
        async move {
            gate.notified().await;
            Outcome::Done(json!("late"))
        }
    });
    let zombie = bench.start_drain(&slow, 900).task;
    until_running(&slow, 1).await;
    // The server's time passes but the drainer's does not, because it is frozen.
    let awake = shared::clock::Clock::manual(integration::START_MS + 61_000);
    let other = integration::queue_on(&bench.server, &awake, config());
    let fast = Scripted::default().on("slow", |_| async { Outcome::Done(json!("in time")) });
    let consumer = Consumer::new(other, Arc::new(fast));
    let report = consumer
        .drain(&awake.deadline(Duration::from_secs(900)))
        .await
        .unwrap();
    assert_eq!(report.completed, 1);

    opened.notify_one();
    let report = zombie.await.unwrap();

    assert_eq!((report.completed, report.lost), (0, 1));
    assert_eq!(bench.read(&id).await.returnvalue, Some(json!("in time")));
}

#[tokio::test]
async fn leases_are_renewed_while_a_job_runs() {
    let bench = Bench::start().await;
    let id = bench.enqueue("long").await;
    let done = Arc::new(AtomicBool::new(false));
    let until = done.clone();
    let clock = bench.clock.clone();
    let handler = Scripted::default().on("long", move |_| {
        let (done, clock) = (until.clone(), clock.clone());
        async move {
            while !done.load(Ordering::SeqCst) {
                clock.sleep(Duration::from_secs(5)).await;
            }
            Outcome::Done(json!(1))
        }
    });
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    for _ in 0..40 {
        let before = bench.server.meter().commands.get("zadd").copied();
        bench.advance(Duration::from_secs(20));
        while bench.server.meter().commands.get("zadd").copied() == before {
            tokio::task::yield_now().await;
        }
    }
    done.store(true, Ordering::SeqCst);
    bench.advance(Duration::from_secs(5));
    assert_eq!(drainer.await.unwrap().completed, 1);
    let job = bench.read(&id).await;
    assert_eq!(
        (job.state, job.fence),
        (JobState::Completed, 1),
        "800 s under one lease of 60"
    );
}

#[tokio::test]
async fn a_running_job_is_told_that_it_is_cancelled() {
    let bench = Bench::start().await;
    let id = bench.enqueue("long").await;
    let handler = Scripted::default().on("long", |mut job| async move {
        assert_eq!(job.interrupted().await, Signal::Cancel);
        Outcome::Cancelled
    });
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    for _ in 0..2 {
        assert_eq!(bench.queue.cancel(&id).await.unwrap(), Cancelled::Requested);
    }
    while !drainer.is_finished() {
        bench.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    assert_eq!(drainer.await.unwrap().cancelled, 1);
    assert_eq!(bench.read(&id).await.state, JobState::Cancelled);
}

#[tokio::test]
async fn several_drainers_share_the_jobs_and_none_runs_twice() {
    let bench = Bench::start().await;
    for _ in 0..4 {
        let jobs = (0..50).map(|_| bench.job("work")).collect();
        bench.queue.enqueue_many(jobs).await.unwrap();
    }
    let handler = Scripted::default();
    let drainers: Vec<_> = (0..4)
        .map(|_| {
            let queue = integration::queue_on(&bench.server, &bench.clock, config());
            let consumer = Consumer::new(queue, Arc::new(handler.clone()));
            let deadline = bench.clock.deadline(Duration::from_secs(900));
            tokio::spawn(async move { consumer.drain(&deadline).await.unwrap() })
        })
        .collect();
    let mut completed = 0;
    for drainer in drainers {
        completed += drainer.await.unwrap().completed;
    }
    let mut ran = handler.ran();
    ran.sort();
    ran.dedup();
    assert_eq!((completed, ran.len(), handler.ran().len()), (200, 200, 200));
    let counts = bench.queue.counts().await.unwrap();
    assert_eq!(
        counts
            .iter()
            .find(|(state, _)| *state == JobState::Completed)
            .unwrap()
            .1,
        200
    );
}

#[tokio::test]
async fn an_outage_of_redis_loses_no_outcome() {
    let bench = Bench::start().await;
    let id = bench.enqueue("work").await;
    let server_faults = bench.server.faults();
    let away = Fault {
        action: FaultAction::Status(503),
        matching: Some("\"outcome\\\"".to_owned()),
        skip: 0,
        times: 12,
    };
    server_faults.add(away);
    let handler = Scripted::default();
    let report = bench.drain(&handler).await;
    assert_eq!(
        (report.completed, handler.ran().len()),
        (1, 1),
        "{report:?}"
    );
    assert!(server_faults.fired() >= 12);
    assert_eq!(bench.read(&id).await.state, JobState::Completed);
}

#[tokio::test]
async fn a_redrive_whose_reply_was_lost_is_answered_alike() {
    let bench = Bench::start().await;
    let handler = Scripted::default().on("bad", |_| async {
        Outcome::Fail {
            reason: "no".into(),
        }
    });
    let id = bench.enqueue("bad").await;
    bench.drain(&handler).await;
    bench.queue.redrive(&id).await.unwrap();
    bench.drain(&handler).await;
    bench.server.faults().add(lost("evalsha"));
    assert_eq!(bench.queue.redrive(&id).await.unwrap(), Redriven::Done);
    assert_eq!(bench.server.faults().fired(), 1);
}

#[tokio::test]
async fn a_handler_is_told_when_a_job_ends_without_it() {
    let bench = Bench::start().await;
    let queue = bench.queue.clone();
    let handler = Scripted::default()
        .on("panic", |_| async { panic!("boom") })
        .on("snooze", move |job| {
            let queue = queue.clone();
            async move {
                queue.cancel(&job.attempt.id).await.unwrap();
                Outcome::Snooze {
                    after: Duration::ZERO,
                }
            }
        });
    let mut last = bench.job("panic");
    last.max_attempts = Some(1);
    bench.queue.enqueue(last.clone()).await.unwrap();
    let cancelled = bench.enqueue("snooze").await;
    bench.drain(&handler).await;
    let mut ended: Vec<(String, bool)> = handler
        .ended
        .lock()
        .unwrap()
        .iter()
        .map(|job| (job.attempt.id.to_string(), job.cancelled))
        .collect();
    ended.sort_by_key(|(_, cancelled)| *cancelled);
    assert_eq!(
        ended,
        [(last.id.to_string(), false), (cancelled.to_string(), true)]
    );
}
