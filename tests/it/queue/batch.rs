//! Batches: a job that runs once all jobs of a group have ended.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use shared::queue::{BatchState, Cancelled, Error, JobId, JobState, NewJob, Outcome, Redriven};
use upstash_local::{Fault, FaultAction};

use super::{Bench, scripted, until_running};

fn state(total: u64, left: u64, [completed, failed, cancelled]: [u64; 3]) -> BatchState {
    BatchState {
        total,
        left,
        completed,
        failed,
        cancelled,
    }
}

async fn batch(bench: &Bench, last: &JobId) -> BatchState {
    bench.queue.batch(last).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_last_job_runs_once_when_each_of_the_others_has_ended_in_its_way() {
    let bench = Bench::start().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (notes, queue) = (seen.clone(), bench.queue.clone());
    let handler = scripted().on("sum", move |job| {
        let (notes, queue) = (notes.clone(), queue.clone());
        async move {
            let id = job.batch_end.clone().unwrap();
            let batch = queue.batch(&id).await.unwrap().unwrap();
            notes.lock().unwrap().push(batch);
            Outcome::Done(1.into())
        }
    });
    let jobs = ["work", "never", "bad", "later", "cancelled", "work"].map(|kind| bench.job(kind));
    let [_, failed, _, later, ..] = jobs.clone();
    let last = NewJob {
        priority: 1,
        ..bench.job("sum")
    };
    let stored = bench
        .queue
        .enqueue_batch(jobs.to_vec(), last.clone())
        .await
        .unwrap();
    assert!(stored.iter().all(|stored| !stored.is_duplicate()));
    assert_eq!(batch(&bench, &last.id).await, state(6, 6, [0; 3]));
    assert!(bench.queue.job(&last.id).await.unwrap().is_none());
    bench.drain(&handler).await;
    assert_eq!(batch(&bench, &last.id).await, state(6, 2, [2, 1, 1]));

    // A redriven job is not counted a second time.
    assert_eq!(
        bench.queue.redrive(&failed.id).await.unwrap(),
        Redriven::Done
    );
    bench.drain(&handler).await;
    assert_eq!(batch(&bench, &last.id).await, state(6, 2, [2, 1, 1]));
    assert_eq!(
        bench.queue.cancel(&later.id).await.unwrap(),
        Cancelled::Done
    );
    for _ in 0..2 {
        bench.advance(Duration::from_secs(1));
        bench.drain(&handler).await;
    }
    assert_eq!(*seen.lock().unwrap(), [state(6, 0, [2, 2, 2])]);
    let job = bench.read(&last.id).await;
    assert_eq!(
        (job.state, job.attempts_made, job.priority),
        (JobState::Completed, 1, 1)
    );
    assert_eq!(bench.queue.redrive_all().await.unwrap(), 2);
    bench.drain(&handler).await;
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_batch_larger_than_a_call_is_stored_in_parts_and_counts_as_one() {
    let bench = Bench::start().await;
    let jobs: Vec<NewJob> = (0..250).map(|_| bench.job("work")).collect();
    let last = bench.job("sum");
    let stored = bench.queue.enqueue_batch(jobs, last.clone()).await.unwrap();
    assert_eq!(stored.len(), 250);
    assert_eq!(bench.drain(&scripted()).await.completed, 251);
    assert_eq!(batch(&bench, &last.id).await, state(250, 0, [250, 0, 0]));
    assert_eq!(bench.state(&last.id).await, JobState::Completed);
}

#[tokio::test]
async fn a_batch_cut_short_is_sent_again_whole_after_some_of_it_has_run() {
    let bench = Bench::start().await;
    let handler = scripted();
    let jobs: Vec<NewJob> = (0..250).map(|_| bench.job("work")).collect();
    let last = bench.job("sum");
    let faults = bench.server.faults();
    let refused = Fault::new(FaultAction::Status(401));
    faults.add(refused.matching("evalsha").skip(2).times(1));
    let cut = bench.queue.enqueue_batch(jobs.clone(), last.clone()).await;
    assert!(cut.is_err(), "{cut:?}");
    assert_eq!(bench.drain(&handler).await.completed, 200);
    assert_eq!(batch(&bench, &last.id).await.left, 50);
    bench.advance(Duration::from_secs(30));
    // Also if the reply is lost.
    let lost = Fault::new(FaultAction::DropAfterCommit);
    faults.add(lost.matching("evalsha").times(1));
    bench
        .queue
        .enqueue_batch(jobs.clone(), last.clone())
        .await
        .unwrap();
    assert_eq!(bench.drain(&handler).await.completed, 51);
    assert_eq!(handler.ran().len(), 251, "each once");
    assert_eq!(batch(&bench, &last.id).await, state(250, 0, [250, 0, 0]));
    bench.advance(Duration::from_secs(30));
    bench.queue.enqueue_batch(jobs, last).await.unwrap();
    assert_eq!(bench.drain(&handler).await.claimed, 0, "nor after its end");
}

#[tokio::test]
async fn a_batch_ends_also_by_a_cancel_an_expiry_or_a_sweep() {
    let bench = Bench::start().await;
    let handler = scripted();
    let cancelled = bench.job("work");
    let last = bench.job("sum");
    bench
        .queue
        .enqueue_batch(vec![cancelled.clone()], last.clone())
        .await
        .unwrap();
    bench.queue.cancel(&cancelled.id).await.unwrap();
    assert_eq!(bench.state(&last.id).await, JobState::Waiting);
    assert_eq!(bench.drain(&handler).await.completed, 1);

    let expires = NewJob {
        expires_ms: Some(bench.clock.now_ms() + 1000),
        ..bench.job("work")
    };
    let last = bench.job("sum");
    bench
        .queue
        .enqueue_batch(vec![expires], last.clone())
        .await
        .unwrap();
    bench.advance(Duration::from_secs(1));
    let report = bench.drain(&handler).await;
    assert_eq!(
        (report.swept, report.completed),
        (1, 1),
        "in the same drain"
    );

    let held = bench.job("held");
    let last = bench.job("sum");
    bench
        .queue
        .enqueue_batch(vec![held.clone()], last.clone())
        .await
        .unwrap();
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 3).await;
    drainer.abort();
    bench.queue.cancel(&held.id).await.unwrap();
    bench.advance(Duration::from_secs(60));
    let report = bench.drain(&handler).await;
    assert_eq!((report.swept, report.completed), (1, 1));
    assert_eq!(batch(&bench, &last.id).await, state(1, 0, [0, 0, 1]));
}

#[tokio::test]
async fn what_cannot_be_a_batch_is_refused() {
    let bench = Bench::start().await;
    let job = bench.job("work");
    let unique = NewJob {
        unique: Some("k".into()),
        ..bench.job("work")
    };
    let large = NewJob {
        args: format!("\"{}\"", "x".repeat(5000)),
        ..bench.job("sum")
    };
    let late = NewJob {
        run_at_ms: Some(bench.clock.now_ms() + 5),
        ..bench.job("sum")
    };
    let bad: [(Vec<NewJob>, NewJob); 6] = [
        (vec![], bench.job("sum")),
        (vec![unique], bench.job("sum")),
        (vec![job.clone()], large),
        (vec![job.clone()], late),
        (vec![job.clone(), job.clone()], bench.job("sum")),
        (vec![job.clone()], job),
    ];
    for (n, (jobs, last)) in bad.into_iter().enumerate() {
        let refused = bench.queue.enqueue_batch(jobs, last).await;
        assert!(
            matches!(refused, Err(Error::Invalid(_))),
            "{n}: {refused:?}"
        );
    }
    assert_eq!(bench.count(JobState::Waiting).await, 0);
    assert_eq!(
        bench.queue.batch(&JobId::new(&bench.clock)).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_batch_is_forgotten_with_its_last_job() {
    let bench = Bench::start().await;
    let (first, second) = (bench.job("sum"), bench.job("sum"));
    for last in [&first, &second] {
        let jobs = vec![bench.job("work")];
        bench.queue.enqueue_batch(jobs, last.clone()).await.unwrap();
    }
    bench.drain(&scripted()).await;
    bench.queue.purge(&first.id).await.unwrap();
    assert_eq!(bench.queue.batch(&first.id).await.unwrap(), None);
    bench.advance(Duration::from_secs(25 * 3600));
    assert_eq!(bench.queue.retain().await.unwrap(), 3);
    assert_eq!(bench.queue.batch(&second.id).await.unwrap(), None);
}
