//! The end of an invocation.

use std::sync::Arc;
use std::time::Duration;

use integration::Scripted;
use shared::queue::{JobState, Outcome, Signal};

use super::{Bench, until_running};

#[tokio::test]
async fn near_the_deadline_work_is_handed_back_without_using_up_an_attempt() {
    let bench = Bench::start().await;
    let polite = bench.enqueue("polite").await;
    let deaf = bench.enqueue("deaf").await;
    let handler = Scripted::default()
        .on("polite", |mut job| async move {
            assert_eq!(job.interrupted().await, Signal::HandBack);
            job.set_checkpoint("7".to_owned());
            Outcome::Snooze {
                after: Duration::ZERO,
            }
        })
        .on("deaf", |job| async move {
            job.set_checkpoint("8".to_owned());
            std::future::pending().await
        });
    let drainer = bench.start_drain(&handler, 50);
    until_running(&handler, 2).await;
    // Into the phase in which work is handed back, and for one of them into the phase in
    // which it is aborted.
    bench.advance(Duration::from_secs(42));
    while bench.read(&polite).await.state == JobState::Active {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.read(&deaf).await.state, JobState::Active);
    bench.advance(Duration::from_secs(4));
    let report = drainer.task.await.unwrap();
    assert!(!drainer.deadline.remaining().is_zero(), "it was killed");
    assert_eq!(
        (report.snoozed, report.retried, report.claimed),
        (2, 0, 2),
        "{report:?}"
    );
    for id in [polite, deaf] {
        let job = bench.read(&id).await;
        assert_eq!((job.state, job.attempts_made), (JobState::Waiting, 0));
    }
    // The next drainer continues from the checkpoints.
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let record = seen.clone();
    let next = move |job: shared::queue::ActiveJob| {
        record.lock().unwrap().push(job.checkpoint().unwrap());
        async { Outcome::Done(serde_json::json!(1)) }
    };
    bench
        .drain(
            &Scripted::default()
                .on("polite", next.clone())
                .on("deaf", next),
        )
        .await;
    seen.lock().unwrap().sort();
    assert_eq!(*seen.lock().unwrap(), ["7", "8"]);
}

#[tokio::test]
async fn a_drainer_told_to_stop_hands_back_at_once() {
    let bench = Bench::start().await;
    bench.enqueue("polite").await;
    let handler = Scripted::default().on("polite", |mut job| async move {
        job.interrupted().await;
        Outcome::Snooze {
            after: Duration::ZERO,
        }
    });
    let drainer = bench.start_drain(&handler, 900);
    until_running(&handler, 1).await;
    drainer.deadline.cut_to(Duration::from_secs(8));
    assert_eq!(drainer.task.await.unwrap().snoozed, 1);
}

#[tokio::test]
async fn a_job_due_soon_is_waited_for_and_one_due_later_is_left() {
    let bench = Bench::with(shared::config::QueueConfig {
        linger: Duration::from_secs(20),
        ..super::config()
    })
    .await;
    let mut soon = bench.job("work");
    soon.run_at_ms = Some(bench.clock.now_ms() + 15_000);
    let mut late = bench.job("work");
    late.run_at_ms = Some(bench.clock.now_ms() + 60_000);
    bench.queue.enqueue_many(vec![soon, late]).await.unwrap();
    let handler = Scripted::default();
    let drainer = bench.start_drain(&handler, 900).task;
    bench.advance(Duration::from_secs(15));
    assert_eq!(
        (drainer.await.unwrap().completed, handler.ran().len()),
        (1, 1)
    );
}
