//! Pausing the queue, cancelling jobs, and changing their priority and time.

use std::time::Duration;

use shared::queue::{Cancelled, Changed, Error, JobId, JobState, NewJob};

use super::{Bench, gated, scripted, until_running};

/// An ID that no job has.
fn unknown(bench: &Bench) -> JobId {
    JobId::new(&bench.clock)
}

#[tokio::test]
async fn while_paused_nothing_starts_and_what_runs_finishes() {
    let bench = Bench::start().await;
    let (handler, gate) = gated();
    let running = bench.enqueue("gated").await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    for _ in 0..2 {
        bench.queue.pause().await.unwrap();
    }
    let waiting = bench.enqueue("work").await;
    gate.add_permits(1);
    assert_eq!(drainer.await.unwrap().completed, 1);
    assert_eq!(bench.state(&running).await, JobState::Completed);
    assert_eq!(bench.state(&waiting).await, JobState::Waiting);
    assert_eq!(bench.drain(&handler).await.claimed, 0);
    assert!(bench.queue.stats().await.unwrap().paused);
    for _ in 0..2 {
        bench.queue.resume().await.unwrap();
    }
    assert!(!bench.queue.stats().await.unwrap().paused);
    assert_eq!(bench.drain(&handler).await.completed, 1);
}

#[tokio::test]
async fn a_pause_is_not_a_job_and_also_holds_delayed_retried_and_swept_jobs() {
    let bench = Bench::start().await;
    let handler = scripted();
    bench.enqueue("bad").await;
    bench.drain(&handler).await;
    let delayed = NewJob {
        run_at_ms: Some(bench.clock.now_ms() + 1000),
        ..bench.job("work")
    };
    bench.queue.enqueue(delayed).await.unwrap();
    bench.enqueue("held").await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 2).await;
    drainer.abort();
    bench.queue.pause().await.unwrap();
    let counts = bench.queue.counts().await.unwrap();
    assert_eq!(counts.iter().map(|(_, n)| n).sum::<u64>(), 3);
    assert_eq!(
        bench
            .queue
            .list(Some(JobState::Waiting), None, 10)
            .await
            .unwrap()
            .0
            .len(),
        0
    );
    bench.advance(Duration::from_secs(61));
    assert_eq!(bench.drain(&handler).await.claimed, 0);
    assert_eq!(bench.count(JobState::Waiting).await, 3);
    assert_eq!(
        bench
            .queue
            .list(Some(JobState::Waiting), None, 10)
            .await
            .unwrap()
            .0
            .len(),
        3
    );
}

#[tokio::test]
async fn cancel_ends_a_waiting_job_and_a_repetition_gets_the_same_answer() {
    let bench = Bench::start().await;
    let handler = scripted();
    let waiting = bench.enqueue("work").await;
    let delayed = NewJob {
        run_at_ms: Some(bench.clock.now_ms() + 1000),
        ..bench.job("work")
    };
    bench.queue.enqueue(delayed.clone()).await.unwrap();
    let retried = bench.enqueue("bad").await;
    bench.queue.pause().await.unwrap();
    bench.queue.resume().await.unwrap();
    let ids = [waiting, delayed.id];
    for id in &ids {
        for _ in 0..2 {
            assert_eq!(bench.queue.cancel(id).await.unwrap(), Cancelled::Done);
        }
    }
    bench.drain(&handler).await;
    assert_eq!(bench.queue.cancel(&retried).await.unwrap(), Cancelled::Done);
    bench.advance(Duration::from_secs(10));
    assert_eq!(bench.drain(&handler).await.claimed, 0);
    assert_eq!(bench.count(JobState::Cancelled).await, 3);
    let stats = bench.queue.stats().await.unwrap();
    assert_eq!(stats.lifetime.cancelled, 3, "each once");
}

#[tokio::test]
async fn cancel_distinguishes_a_finished_job_from_an_unknown_one() {
    let bench = Bench::start().await;
    let done = bench.enqueue("work").await;
    let failed = bench.enqueue("never").await;
    bench.drain(&scripted()).await;
    let cancelled = async |id: &JobId| bench.queue.cancel(id).await.unwrap();
    assert_eq!(
        cancelled(&done).await,
        Cancelled::Finished(JobState::Completed)
    );
    assert_eq!(
        cancelled(&failed).await,
        Cancelled::Finished(JobState::Failed)
    );
    assert_eq!(cancelled(&unknown(&bench)).await, Cancelled::Unknown);
}

#[tokio::test]
async fn whichever_comes_first_wins_between_a_cancel_and_the_end_of_a_running_job() {
    let bench = Bench::start().await;
    for (kind, state) in [
        ("gated", JobState::Completed),
        ("fails", JobState::Cancelled),
        ("snoozes", JobState::Cancelled),
    ] {
        let (handler, gate) = gated();
        let (first, second) = (gate.clone(), gate.clone());
        let handler = handler
            .on("fails", move |_| {
                let gate = first.clone();
                async move {
                    gate.acquire().await.unwrap().forget();
                    shared::queue::Outcome::Retry {
                        reason: "no".into(),
                        after: None,
                    }
                }
            })
            .on("snoozes", move |_| {
                let gate = second.clone();
                async move {
                    gate.acquire().await.unwrap().forget();
                    shared::queue::Outcome::Snooze {
                        after: Duration::ZERO,
                    }
                }
            });
        let id = bench.enqueue(kind).await;
        let drainer = bench.start_drain(&handler, 900).task;
        until_running(&handler, 1).await;
        assert_eq!(bench.queue.cancel(&id).await.unwrap(), Cancelled::Requested);
        gate.add_permits(1);
        drainer.await.unwrap();
        assert_eq!(bench.state(&id).await, state, "{kind}");
        let n_ended = handler.ended.lock().unwrap().len();
        assert_eq!(n_ended, usize::from(state == JobState::Cancelled), "{kind}");
    }
}

#[tokio::test]
async fn a_cancelled_job_whose_drainer_died_is_swept_as_cancelled_and_not_run_again() {
    let bench = Bench::start().await;
    let handler = scripted();
    let id = bench.enqueue("held").await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    drainer.abort();
    assert_eq!(bench.queue.cancel(&id).await.unwrap(), Cancelled::Requested);
    bench.advance(Duration::from_secs(60));
    assert_eq!(bench.drain(&handler).await.claimed, 0);
    assert_eq!(bench.state(&id).await, JobState::Cancelled);
    assert!(handler.ended.lock().unwrap()[0].cancelled);
}

#[tokio::test]
async fn a_cancel_and_a_claim_at_once_have_one_winner() {
    for _ in 0..20 {
        let bench = Bench::start().await;
        let id = bench.enqueue("work").await;
        let handler = scripted();
        let (report, cancelled) = tokio::join!(bench.drain(&handler), bench.queue.cancel(&id));
        let ran = handler.ran().len() as u32;
        assert_eq!(report.claimed, ran);
        match cancelled.unwrap() {
            Cancelled::Done => assert_eq!(ran, 0),
            Cancelled::Requested | Cancelled::Finished(_) => assert_eq!(ran, 1),
            Cancelled::Unknown => panic!("unknown"),
        }
    }
}

#[tokio::test]
async fn priority_is_changed_while_a_job_waits_and_for_the_next_attempt_while_it_runs() {
    let bench = Bench::with(shared::config::QueueConfig {
        concurrency: 1,
        ..super::config()
    })
    .await;
    let (first, second) = (bench.enqueue("work").await, bench.enqueue("work").await);
    let retried = bench.enqueue("bad").await;
    for id in [&first, &second] {
        assert_eq!(
            bench.queue.change(id, Some(7), None).await.unwrap(),
            Changed::Done
        );
    }
    assert_eq!(
        bench.queue.change(&second, Some(6), None).await.unwrap(),
        Changed::Done
    );
    let handler = scripted();
    bench.drain(&handler).await;
    let order: Vec<String> = handler.ran().into_iter().map(|(id, _)| id).collect();
    assert_eq!(order, [&retried, &second, &first].map(ToString::to_string));

    // The job is delayed and keeps its time.
    let run_at = bench.read(&retried).await.run_at;
    assert_eq!(
        bench.queue.change(&retried, Some(1), None).await.unwrap(),
        Changed::Done
    );
    let job = bench.read(&retried).await;
    assert_eq!(
        (job.priority, job.run_at, job.state),
        (1, run_at, JobState::Delayed)
    );

    let held = bench.enqueue("held").await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 4).await;
    assert_eq!(
        bench.queue.change(&held, Some(2), None).await.unwrap(),
        Changed::NextAttempt
    );
    assert_eq!(bench.read(&held).await.priority, 2);
    assert_eq!(bench.state(&held).await, JobState::Active);
    drainer.abort();
}

#[tokio::test]
async fn a_jobs_time_is_changed_while_it_waits_and_not_while_it_runs() {
    let bench = Bench::start().await;
    let handler = scripted();
    let now = bench.clock.now_ms();
    let id = bench.enqueue("work").await;
    let later = Some(now + 60_000);
    assert_eq!(
        bench.queue.change(&id, None, later).await.unwrap(),
        Changed::Done
    );
    assert_eq!(bench.state(&id).await, JobState::Delayed);
    assert_eq!(bench.drain(&handler).await.claimed, 0);
    // An earlier time again, this one in the past, which means now.
    assert_eq!(
        bench.queue.change(&id, Some(3), Some(5)).await.unwrap(),
        Changed::Done
    );
    let job = bench.read(&id).await;
    assert_eq!(
        (job.state, job.run_at, job.priority),
        (JobState::Waiting, now, 3)
    );
    assert_eq!(bench.drain(&handler).await.completed, 1);

    // A job that has already been tried keeps what it has.
    let retried = bench.enqueue("bad").await;
    bench.drain(&handler).await;
    assert_eq!(
        bench.queue.change(&retried, None, Some(now)).await.unwrap(),
        Changed::Done
    );
    assert_eq!(bench.drain(&handler).await.retried, 1);
    assert_eq!(bench.read(&retried).await.attempts_made, 2);

    let held = bench.enqueue("held").await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 4).await;
    for priority in [None, Some(1)] {
        let changed = bench.queue.change(&held, priority, later).await.unwrap();
        assert_eq!(changed, Changed::Active);
    }
    let job = bench.read(&held).await;
    assert_eq!((job.state, job.priority), (JobState::Active, 5));
    drainer.abort();
}

#[tokio::test]
async fn a_finished_or_unknown_job_cannot_be_changed() {
    let bench = Bench::start().await;
    let done = bench.enqueue("work").await;
    bench.drain(&scripted()).await;
    let changed = bench.queue.change(&done, Some(1), None).await.unwrap();
    assert_eq!(changed, Changed::Finished(JobState::Completed));
    assert_eq!(bench.read(&done).await.priority, 5);
    let changed = bench
        .queue
        .change(&unknown(&bench), Some(1), None)
        .await
        .unwrap();
    assert_eq!(changed, Changed::Unknown);
    let year_ms = bench.clock.now_ms() + 366 * 86_400_000;
    for (priority, run_at) in [
        (Some(0), None),
        (Some(11), None),
        (None, Some(-1)),
        (None, Some(year_ms + 1)),
    ] {
        let changed = bench.queue.change(&done, priority, run_at).await;
        assert!(matches!(changed, Err(Error::Invalid(_))), "{changed:?}");
    }
}
