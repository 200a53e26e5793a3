//! Chains: jobs that are enqueued one after the other.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use shared::queue::{Backoff, Cancelled, Error, JobState, NewJob, Outcome};
use upstash_local::{Fault, FaultAction};

use super::{Bench, scripted};

/// A chain of four jobs.
fn chain(bench: &Bench, kinds: [&str; 4]) -> NewJob {
    let [first, rest @ ..] = kinds.map(|kind| bench.job(kind));
    NewJob {
        then: rest.to_vec(),
        ..first
    }
}

#[tokio::test]
async fn each_job_of_a_chain_runs_once_after_the_one_before() {
    let bench = Bench::start().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = seen.clone();
    let handler = scripted().on("step", move |job| {
        notes
            .lock()
            .unwrap()
            .push((job.attempt.id.clone(), job.after.clone()));
        async { Outcome::Done(1.into()) }
    });
    let first = chain(&bench, ["step"; 4]);
    bench.queue.enqueue(first.clone()).await.unwrap();
    for _ in 0..4 {
        let fault = Fault::new(FaultAction::DropAfterCommit);
        bench
            .server
            .faults()
            .add(fault.matching("evalsha").skip(1).times(1));
        bench.drain(&handler).await;
        bench.advance(Duration::from_secs(1));
    }
    let mut expected = vec![(first.id.clone(), None)];
    for next in &first.then {
        let after = expected.last().map(|(id, _)| id.clone());
        expected.push((next.id.clone(), after));
    }
    assert_eq!(*seen.lock().unwrap(), expected);
    assert_eq!(bench.count(JobState::Completed).await, 4);
}

#[tokio::test]
async fn a_job_of_a_chain_keeps_its_arguments_and_options() {
    let bench = Bench::start().await;
    let args = format!(
        "{{\"text\":\"\\n|é\",\"n\":9007199254740993,\"e\":[],\"x\":\"{}\"}}",
        "x".repeat(4000)
    );
    let second = NewJob {
        args: args.clone(),
        priority: 2,
        max_attempts: Some(7),
        backoff: Backoff::Custom {
            waits_ms: vec![86_400_000],
        },
        jitter: false,
        timeout: Some(Duration::from_secs(86_400)),
        group: Some("g".into()),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        ..bench.job("fails")
    };
    let first = NewJob {
        then: vec![bench.job("work"), second.clone()],
        ..bench.job("work")
    };
    let handler = scripted().on("fails", |job| async move {
        assert_eq!(job.time_left(), Duration::from_secs(890));
        assert!(job.traceparent.is_some());
        Outcome::Retry {
            reason: "no".into(),
            after: None,
        }
    });
    bench.queue.enqueue(first).await.unwrap();
    bench.drain(&handler).await;
    let job = bench.read(&second.id).await;
    assert_eq!(
        (job.priority, job.max_attempts, job.data.get()),
        (2, 7, args.as_str())
    );
    assert_eq!(
        (job.state, job.run_at - bench.clock.now_ms()),
        (JobState::Delayed, 86_400_000)
    );
}

#[tokio::test]
async fn a_job_that_fails_or_is_cancelled_ends_its_chain_until_it_is_redriven() {
    for kind in ["never", "cancelled"] {
        let bench = Bench::start().await;
        let first = chain(&bench, ["work", kind, "work", "work"]);
        let [second, third, fourth] = <[NewJob; 3]>::try_from(first.then.clone()).unwrap();
        bench.queue.enqueue(first).await.unwrap();
        bench.drain(&scripted()).await;
        assert!(bench.state(&second.id).await.is_finished());
        for later in [&third, &fourth] {
            assert!(
                bench.queue.job(&later.id).await.unwrap().is_none(),
                "{kind}"
            );
        }
        bench.queue.redrive(&second.id).await.unwrap();
        let handler = scripted()
            .on("never", |_| async { Outcome::Done(1.into()) })
            .on("cancelled", |_| async { Outcome::Done(1.into()) });
        assert_eq!(bench.drain(&handler).await.completed, 3);
        assert_eq!(bench.state(&fourth.id).await, JobState::Completed);
    }
}

#[tokio::test]
async fn a_waiting_job_of_a_chain_is_cancelled_and_the_rest_never_stored() {
    let bench = Bench::start().await;
    let first = chain(&bench, ["work"; 4]);
    bench.queue.enqueue(first.clone()).await.unwrap();
    assert_eq!(
        bench.queue.cancel(&first.id).await.unwrap(),
        Cancelled::Done
    );
    assert_eq!(bench.drain(&scripted()).await.claimed, 0);
    assert!(bench.queue.job(&first.then[0].id).await.unwrap().is_none());
}

#[tokio::test]
async fn changing_a_job_keeps_its_chain() {
    let bench = Bench::start().await;
    let first = chain(&bench, ["work"; 4]);
    bench.queue.enqueue(first.clone()).await.unwrap();
    bench.queue.change(&first.id, Some(1), None).await.unwrap();
    assert_eq!(bench.drain(&scripted()).await.completed, 4);
}

#[tokio::test]
async fn what_cannot_be_in_a_chain_is_refused() {
    let bench = Bench::start().await;
    let bad: [fn(&mut NewJob); 6] = [
        |job| job.unique = Some("k".into()),
        |job| job.run_at_ms = Some(1),
        |job| job.expires_ms = Some(i64::MAX),
        |job| job.args = format!("\"{}\"", "x".repeat(4096)),
        |job| job.then = vec![job.clone()],
        |job| job.priority = 0,
    ];
    for (n, change) in bad.into_iter().enumerate() {
        let mut first = chain(&bench, ["work"; 4]);
        change(&mut first.then[2]);
        let refused = bench.queue.enqueue(first).await;
        assert!(
            matches!(refused, Err(Error::Invalid(_))),
            "{n}: {refused:?}"
        );
    }
    let long = NewJob {
        then: (0..21).map(|_| bench.job("work")).collect(),
        ..bench.job("work")
    };
    assert!(bench.queue.enqueue(long).await.is_err());
    let mut twice = chain(&bench, ["work"; 4]);
    twice.then[1].id = twice.then[0].id.clone();
    let refused = bench.queue.enqueue(twice).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    assert_eq!(bench.count(JobState::Waiting).await, 0);
}
