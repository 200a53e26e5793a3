//! Groups: a limited number of their jobs run at once, and other jobs are not delayed.

use std::time::Duration;

use integration::Scripted;
use shared::config::{QueueConfig, Rate};
use shared::queue::{Cancelled, JobId, JobState, NewJob, OnUnique, Outcome};
use shared::redis::commands::sorted_sets::Range;
use shared::redis::commands::{Hashes as _, SortedSets as _};

use super::{Bench, config, gated, scripted, until_running};

fn limited(limit: u32) -> QueueConfig {
    QueueConfig {
        group_limit: Some(limit),
        ..config()
    }
}

fn of(bench: &Bench, group: &str, kind: &str) -> NewJob {
    NewJob {
        group: Some(group.to_owned()),
        ..bench.job(kind)
    }
}

async fn enqueue(bench: &Bench, group: &str, kind: &str) -> JobId {
    let job = of(bench, group, kind);
    let id = job.id.clone();
    bench.queue.enqueue(job).await.unwrap();
    bench.advance(Duration::from_millis(1));
    id
}

/// Number of parked jobs.
async fn parked(bench: &Bench) -> u64 {
    bench
        .redis()
        .zcard(&bench.queue.keys().parked)
        .await
        .unwrap()
}

async fn until_parked(bench: &Bench, n: u64) {
    while parked(bench).await != n {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_group_runs_up_to_its_limit_and_does_not_delay_other_jobs() {
    for limit in [1, 2] {
        let bench = Bench::with(limited(limit)).await;
        let (handler, gate) = gated();
        for _ in 0..6 {
            enqueue(&bench, "g", "gated").await;
        }
        let free = enqueue(&bench, "h", "work").await;
        let lone = bench.enqueue("work").await;
        let drainer = bench.start_drain(&handler, 900).task;
        let running = limit as usize;
        until_running(&handler, running + 2).await;
        until_parked(&bench, 6 - u64::from(limit)).await;
        assert_eq!(bench.count(JobState::Active).await, u64::from(limit));
        for id in [&free, &lone] {
            assert_eq!(bench.state(id).await, JobState::Completed);
        }
        for done in 1..=6 {
            gate.add_permits(1);
            until_running(&handler, (running + done).min(6) + 2).await;
            assert!(bench.count(JobState::Active).await <= u64::from(limit));
        }
        assert_eq!(drainer.await.unwrap().completed, 8);
        assert_eq!(parked(&bench).await, 0);
    }
}

#[tokio::test]
async fn the_slot_is_free_however_its_holder_stops() {
    for kind in ["work", "never", "bad", "later", "cancelled"] {
        let bench = Bench::with(QueueConfig {
            concurrency: 2,
            ..limited(1)
        })
        .await;
        enqueue(&bench, "g", kind).await;
        let next = enqueue(&bench, "g", "work").await;
        let report = bench.drain(&scripted()).await;
        assert_eq!(report.claimed, 2, "{kind}: {report:?}");
        assert_eq!(bench.state(&next).await, JobState::Completed, "{kind}");
        let group = bench
            .redis()
            .hget(&bench.queue.keys().records, "g:g")
            .await
            .unwrap();
        assert_eq!(group.as_deref(), Some(""), "{kind}");
    }
}

#[tokio::test]
async fn a_group_whose_drainer_died_continues_when_the_lease_expires() {
    let bench = Bench::with(limited(1)).await;
    let handler = scripted();
    let held = enqueue(&bench, "g", "held").await;
    let next = enqueue(&bench, "g", "work").await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    until_parked(&bench, 1).await;
    drainer.abort();
    bench.advance(Duration::from_secs(59));
    assert_eq!(bench.drain(&handler).await.claimed, 0);
    bench.queue.cancel(&held).await.unwrap();
    bench.advance(Duration::from_secs(1));
    let report = bench.drain(&handler).await;
    assert_eq!((report.swept, report.completed), (1, 1));
    assert_eq!(bench.state(&next).await, JobState::Completed);
}

#[tokio::test]
async fn a_swept_job_of_a_full_group_waits_for_its_turn_again() {
    let bench = Bench::with(limited(1)).await;
    let handler = scripted();
    let held = enqueue(&bench, "g", "held").await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    drainer.abort();
    let next = enqueue(&bench, "g", "work").await;
    bench.drain(&handler).await;
    assert_eq!(parked(&bench).await, 1);
    bench.advance(Duration::from_secs(60));
    let handler = scripted().on("held", |_| async { Outcome::Done(1.into()) });
    assert_eq!(bench.drain(&handler).await.completed, 2);
    for id in [held, next] {
        assert_eq!(bench.state(&id).await, JobState::Completed);
    }
}

#[tokio::test]
async fn hundreds_of_parked_jobs_starve_neither_each_other_nor_the_rest() {
    let bench = Bench::with(limited(1)).await;
    let handler = scripted();
    for group in ["a", "b", "c"] {
        let jobs = (0..100).map(|_| of(&bench, group, "work")).collect();
        bench.queue.enqueue_many(jobs).await.unwrap();
    }
    bench.advance(Duration::from_millis(1));
    let lone = bench.enqueue("work").await;
    let report = bench.drain(&handler).await;
    assert_eq!(report.completed, 301, "{report:?}");
    let place = handler.ran().iter().position(|(id, _)| id == lone.as_str());
    assert!(place.unwrap() < 60, "it ran as number {place:?}");
    assert_eq!(parked(&bench).await, 0);
}

#[tokio::test]
async fn parked_jobs_of_a_group_run_in_the_order_of_their_priority() {
    let bench = Bench::with(limited(1)).await;
    let (handler, gate) = gated();
    enqueue(&bench, "g", "gated").await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    let mut ids = Vec::new();
    for priority in [9, 2, 5, 2] {
        let job = NewJob {
            priority,
            ..of(&bench, "g", "work")
        };
        ids.push((priority, job.id.to_string()));
        bench.queue.enqueue(job).await.unwrap();
        bench.advance(Duration::from_millis(1));
    }
    // Another drainer finds them but no free place.
    assert_eq!(bench.drain(&handler).await.claimed, 0);
    until_parked(&bench, 4).await;
    let last = JobId::parse(&ids[2].1).unwrap();
    bench.queue.change(&last, Some(1), None).await.unwrap();
    ids[2].0 = 1;
    until_parked(&bench, 3).await;
    assert_eq!(bench.drain(&handler).await.claimed, 0);
    until_parked(&bench, 4).await;
    gate.add_permits(1);
    drainer.await.unwrap();
    ids.sort();
    let ran: Vec<String> = handler
        .ran()
        .into_iter()
        .skip(1)
        .map(|(id, _)| id)
        .collect();
    assert_eq!(ran, ids.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
}

/// A group with one running job and two parked behind it, and a way to release it.
async fn full_group(
    bench: &Bench,
) -> (
    Scripted,
    std::sync::Arc<tokio::sync::Semaphore>,
    tokio::task::JoinHandle<shared::queue::DrainReport>,
    [JobId; 2],
) {
    let (handler, gate) = gated();
    enqueue(bench, "g", "gated").await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    let unique = NewJob {
        unique: Some("k".into()),
        ..of(bench, "g", "work")
    };
    bench.queue.enqueue(unique.clone()).await.unwrap();
    bench.advance(Duration::from_millis(1));
    let second = enqueue(bench, "g", "work").await;
    bench.drain(&handler).await;
    until_parked(bench, 2).await;
    (handler, gate, drainer, [unique.id, second])
}

#[tokio::test]
async fn a_parked_job_is_counted_listed_and_cancelled_as_one_that_waits() {
    let bench = Bench::with(limited(1)).await;
    let (_, gate, drainer, [first, second]) = full_group(&bench).await;
    assert_eq!(bench.count(JobState::Waiting).await, 2);
    let (listed, _) = bench
        .queue
        .list(Some(JobState::Waiting), None, 10)
        .await
        .unwrap();
    let listed: Vec<&JobId> = listed.iter().map(|job| &job.id).collect();
    assert_eq!(listed, [&first, &second]);
    assert_eq!(bench.queue.cancel(&first).await.unwrap(), Cancelled::Done);
    assert_eq!(
        (bench.count(JobState::Waiting).await, parked(&bench).await),
        (1, 1)
    );
    gate.add_permits(1);
    assert_eq!(drainer.await.unwrap().completed, 2);
    assert_eq!(bench.state(&second).await, JobState::Completed);
}

#[tokio::test]
async fn a_parked_job_that_is_replaced_or_put_off_does_not_hold_up_the_next() {
    for on_unique in [OnUnique::Replace, OnUnique::Debounce] {
        let bench = Bench::with(limited(1)).await;
        let (handler, gate, drainer, [first, second]) = full_group(&bench).await;
        let newer = NewJob {
            unique: Some("k".into()),
            on_unique,
            run_at_ms: Some(bench.clock.now_ms() + 60_000),
            ..of(&bench, "g", "work")
        };
        let stored = bench.queue.enqueue(newer).await.unwrap();
        assert_eq!(parked(&bench).await, 1, "{on_unique:?}");
        gate.add_permits(1);
        assert_eq!(drainer.await.unwrap().completed, 2, "{on_unique:?}");
        assert_eq!(bench.state(&second).await, JobState::Completed);
        bench.advance(Duration::from_secs(60));
        assert_eq!(bench.drain(&handler).await.completed, 1);
        assert_eq!(bench.state(stored.id()).await, JobState::Completed);
        assert!(bench.state(&first).await.is_finished());
    }
}

#[tokio::test]
async fn a_parked_job_that_expires_makes_room_for_the_next_at_once() {
    let bench = Bench::with(QueueConfig {
        concurrency: 2,
        ..limited(1)
    })
    .await;
    let (handler, gate) = gated();
    enqueue(&bench, "g", "gated").await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    for _ in 0..3 {
        let job = NewJob {
            expires_ms: Some(bench.clock.now_ms() + 1000),
            ..of(&bench, "g", "work")
        };
        bench.queue.enqueue(job).await.unwrap();
    }
    bench.advance(Duration::from_millis(1));
    let last = enqueue(&bench, "g", "work").await;
    bench.drain(&handler).await;
    until_parked(&bench, 4).await;
    bench.advance(Duration::from_secs(1));
    gate.add_permits(1);
    let report = drainer.await.unwrap();
    assert_eq!((report.swept, report.completed), (3, 2), "{report:?}");
    assert_eq!(bench.state(&last).await, JobState::Completed);
}

#[tokio::test]
async fn a_group_whose_holder_is_lost_is_found_by_the_sweep() {
    let bench = Bench::with(limited(1)).await;
    let (handler, _, drainer, parked_ids) = full_group(&bench).await;
    drainer.abort();
    // As if the drainer that had to start the next job had died.
    let keys = bench.queue.keys();
    let range = Range::Score {
        min: 70_368_744_177_664.0,
        max: f64::INFINITY,
        offset: 0,
        limit: 1,
    };
    let holder = bench
        .redis()
        .zrange(&keys.index, range)
        .await
        .unwrap()
        .pop()
        .unwrap();
    bench.redis().zrem(&keys.index, &[&holder]).await.unwrap();
    bench
        .redis()
        .hdel(&keys.records, &[&holder, &format!("{holder}:p")])
        .await
        .unwrap();
    assert_eq!(bench.drain(&handler).await.completed, 2);
    for id in parked_ids {
        assert_eq!(bench.state(&id).await, JobState::Completed);
    }
}

#[tokio::test]
async fn group_limits_the_global_limit_and_the_pace_hold_at_the_same_time() {
    let bench = Bench::with(QueueConfig {
        active_limit: Some(3),
        rate: Some(Rate {
            interval: Duration::from_secs(1),
            burst: 2,
        }),
        ..limited(1)
    })
    .await;
    let handler = scripted();
    for n in 0..20 {
        enqueue(&bench, ["a", "b"][n % 2], "work").await;
        bench.enqueue("work").await;
    }
    let mut ran = 0;
    for second in 0..60 {
        bench.drain(&handler).await;
        ran = handler.ran().len();
        assert!(ran <= second + 3, "{ran} after {second} s");
        bench.advance(Duration::from_secs(1));
    }
    assert_eq!((ran, parked(&bench).await), (40, 0));
}
