//! Scripts that fail half-way with groups, batches, chains and other options.

use std::time::Duration;

use serde_json::{Value, json};
use shared::config::QueueConfig;
use shared::queue::{JobState, NewJob};
use shared::redis::commands::SortedSets as _;

use super::cut::{finish, request, run_cut, tick};
use super::{Bench, config, scripted, until_running};

/// More writes than any script makes.
pub const MOST: u32 = 7;

async fn grouped() -> Bench {
    Bench::with(QueueConfig {
        group_limit: Some(1),
        ..config()
    })
    .await
}

fn of_group(bench: &Bench, kind: &str) -> NewJob {
    NewJob {
        group: Some("g".into()),
        ..bench.job(kind)
    }
}

/// A drainer that claims `n` jobs of kind `held` and is killed.
async fn claim(bench: &Bench, n: usize) {
    let handler = scripted();
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, n).await;
    drainer.abort();
}

/// A round that settles the first attempt of a job.
fn settle(bench: &Bench, job: &NewJob, outcome: &str, more: Value) -> Vec<String> {
    let run_at = bench.clock.now_ms() + 1000;
    let settle =
        json!([{ "id": job.id, "fence": 1, "outcome": outcome, "run_at": run_at, "data": "1" }]);
    let mut round = json!({ "settle": settle });
    round
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    tick(bench, round)
}

pub async fn total(bench: &Bench) -> u64 {
    let counts = bench.queue.counts().await.unwrap();
    counts.iter().map(|(_, n)| n).sum()
}

/// The enqueueing of one job as the queue sends it.
pub fn enqueue(bench: &Bench, job: &NewJob, more: Value) -> [String; 2] {
    let now = bench.clock.now_ms();
    let mut spec = json!({
        "v": 2, "kind": job.kind, "priority": job.priority, "max_attempts": 3, "enqueued": now,
        "run_at": now, "backoff": job.backoff,
    });
    let mut entry = json!({ "id": job.id, "priority": job.priority, "run_at": now });
    if let Some(key) = &job.unique {
        entry["unique"] = json!(key);
        spec["unique"] = json!(key);
    }
    if more.get("batch").is_some() {
        spec["batch"] = more["batch"]["id"].clone();
    }
    let mut request = json!({ "now": now, "day": "20261121", "aging": 900_000 });
    for (name, value) in more.as_object().unwrap() {
        match name.as_str() {
            "on_unique" | "entry" | "refused" => entry[name] = value.clone(),
            _ => request[name] = value.clone(),
        }
    }
    request["jobs"] = json!([entry]);
    [request.to_string(), format!("{spec}\n{}", job.args)]
}

#[tokio::test]
async fn a_claim_with_groups_cut_after_any_write_leaves_no_job_parked_for_ever() {
    for writes in 0..MOST {
        let bench = grouped().await;
        let jobs: Vec<NewJob> = (0..4).map(|_| of_group(&bench, "work")).collect();
        bench.queue.enqueue_many(jobs.clone()).await.unwrap();
        let args = tick(&bench, json!({ "want": 5, "group_limit": 1 }));
        let died = run_cut(&bench, "tick", writes, &args).await;
        assert_eq!(died, writes < 3, "parked, records, index");
        finish(&bench).await;
        for job in &jobs {
            assert_eq!(
                bench.state(&job.id).await,
                JobState::Completed,
                "cut after {writes}"
            );
        }
        assert_eq!(total(&bench).await, 4);
    }
}

#[tokio::test]
async fn an_outcome_in_a_full_group_cut_after_any_write_lets_the_next_in() {
    for outcome in ["completed", "failed", "retry", "snooze"] {
        for writes in 0..MOST {
            let bench = grouped().await;
            let held = of_group(&bench, "held");
            bench.queue.enqueue(held.clone()).await.unwrap();
            claim(&bench, 1).await;
            let next = of_group(&bench, "work");
            bench.queue.enqueue(next.clone()).await.unwrap();
            bench.drain(&scripted()).await;
            let args = settle(
                &bench,
                &held,
                outcome,
                json!({ "want": 5, "group_limit": 1 }),
            );
            run_cut(&bench, "tick", writes, &args).await;
            finish(&bench).await;
            let what = format!("{outcome} cut after {writes}");
            assert!(bench.state(&held.id).await.is_finished(), "{what}");
            assert_eq!(bench.state(&next.id).await, JobState::Completed, "{what}");
            assert_eq!(total(&bench).await, 2, "{what}");
            let parked = bench
                .redis()
                .zcard(&bench.queue.keys().parked)
                .await
                .unwrap();
            assert_eq!(parked, 0, "{what}");
        }
    }
}

#[tokio::test]
async fn the_end_of_a_batch_and_a_chain_cut_after_any_write_stores_each_follower_once() {
    for writes in 0..MOST {
        let bench = Bench::start().await;
        let next = bench.job("work");
        let held = NewJob {
            then: vec![next.clone()],
            ..bench.job("held")
        };
        let last = bench.job("work");
        bench
            .queue
            .enqueue_batch(vec![held.clone()], last.clone())
            .await
            .unwrap();
        claim(&bench, 1).await;
        let args = settle(&bench, &held, "completed", json!({}));
        run_cut(&bench, "tick", writes, &args).await;
        finish(&bench).await;
        for job in [&held, &next, &last] {
            let job = bench.read(&job.id).await;
            assert_eq!(
                (job.state, job.attempts_made),
                (JobState::Completed, 1),
                "cut after {writes}"
            );
        }
        assert_eq!(total(&bench).await, 3, "cut after {writes}");
        assert_eq!(bench.queue.stats().await.unwrap().lifetime.completed, 3);
    }
}

#[tokio::test]
async fn a_cancel_that_ends_a_batch_cut_after_any_write_stores_its_last_job_once() {
    for writes in 0..MOST {
        let bench = grouped().await;
        let (only, last) = (of_group(&bench, "work"), bench.job("work"));
        bench
            .queue
            .enqueue_batch(vec![only.clone()], last.clone())
            .await
            .unwrap();
        run_cut(&bench, "cancel", writes, &[request(&bench, &only.id)]).await;
        finish(&bench).await;
        assert!(bench.state(&only.id).await.is_finished());
        assert_eq!(
            bench.read(&last.id).await.attempts_made,
            1,
            "cut after {writes}"
        );
        assert_eq!(total(&bench).await, 2, "cut after {writes}");
    }
}

#[tokio::test]
async fn a_replacement_or_debounce_cut_after_any_write_is_healed_by_sending_it_again() {
    for on_unique in ["replace", "debounce"] {
        for writes in 0..MOST {
            let bench = Bench::start().await;
            let unique = |run_at_ms| NewJob {
                unique: Some("k".into()),
                run_at_ms,
                ..bench.job("work")
            };
            let old = unique(Some(bench.clock.now_ms() + 3_600_000));
            bench.queue.enqueue(old.clone()).await.unwrap();
            let new = unique(None);
            let args = enqueue(&bench, &new, json!({ "on_unique": on_unique }));
            run_cut(&bench, "enqueue", writes, &args).await;
            assert!(!run_cut(&bench, "enqueue", 99, &args).await);
            let what = format!("{on_unique} cut after {writes}");
            assert_eq!(bench.drain(&scripted()).await.completed, 1, "{what}");
            finish(&bench).await;
            let (ran, states) = match on_unique {
                "replace" => (&new, JobState::Cancelled),
                _ => (&old, JobState::Completed),
            };
            assert_eq!(bench.state(&ran.id).await, JobState::Completed, "{what}");
            assert_eq!(bench.state(&old.id).await, states, "{what}");
            // An entry of the replaced job may remain until it is due or audited.
            bench.queue.audit().await.unwrap();
            assert_eq!(bench.count(JobState::Delayed).await, 0, "{what}");
        }
    }
}

#[tokio::test]
async fn the_storing_of_a_batch_cut_after_any_write_is_healed_by_sending_it_again() {
    for writes in 0..MOST {
        let bench = Bench::start().await;
        let (job, last) = (bench.job("work"), bench.job("work"));
        let args = enqueue(&bench, &last, json!({}));
        let spec: Value = serde_json::from_str(args[1].lines().next().unwrap()).unwrap();
        let heir = json!({ "id": last.id, "spec": spec, "args": "1" });
        let batch = json!({ "id": last.id, "total": 1, "last": heir });
        let args = enqueue(&bench, &job, json!({ "batch": batch }));
        run_cut(&bench, "enqueue", writes, &args).await;
        assert!(!run_cut(&bench, "enqueue", 99, &args).await);
        assert_eq!(
            bench.drain(&scripted()).await.completed,
            2,
            "cut after {writes}"
        );
        assert_eq!(bench.queue.batch(&last.id).await.unwrap().unwrap().left, 0);
    }
}

#[tokio::test]
async fn a_change_cut_after_any_write_loses_no_job() {
    for parked in [false, true] {
        for writes in 0..MOST {
            let bench = grouped().await;
            let held = of_group(&bench, "held");
            bench.queue.enqueue(held).await.unwrap();
            if parked {
                claim(&bench, 1).await;
            }
            let job = of_group(&bench, "work");
            bench.queue.enqueue(job.clone()).await.unwrap();
            if parked {
                bench.drain(&scripted()).await;
            }
            let mut args: Value = serde_json::from_str(&request(&bench, &job.id)).unwrap();
            args["priority"] = json!(1);
            args["run_at"] = json!(bench.clock.now_ms() + 30_000);
            run_cut(&bench, "change", writes, &[args.to_string()]).await;
            finish(&bench).await;
            let state = bench.state(&job.id).await;
            assert_eq!(
                state,
                JobState::Completed,
                "cut after {writes}, parked: {parked}"
            );
            assert_eq!(total(&bench).await, 2);
        }
    }
}

#[tokio::test]
async fn retention_and_purge_cut_after_any_write_finish_when_they_run_again() {
    for name in ["retain", "purge"] {
        for writes in 0..MOST {
            let bench = Bench::start().await;
            let job = bench.job("work");
            bench.queue.enqueue(job.clone()).await.unwrap();
            bench.drain(&scripted()).await;
            bench.advance(Duration::from_secs(25 * 3600));
            let now = bench.clock.now_ms();
            let mut args: Value = serde_json::from_str(&request(&bench, &job.id)).unwrap();
            let more = json!({
                "completed_before": now - 86_400_000, "failed_before": now - 604_800_000,
                "completed_count": 1000, "batch": 200, "days": ["20261001"],
            });
            args.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            run_cut(&bench, name, writes, &[args.to_string()]).await;
            bench.queue.retain().await.unwrap();
            assert!(bench.queue.job(&job.id).await.unwrap().is_none());
            assert_eq!(total(&bench).await, 0, "{name} cut after {writes}");
        }
    }
}

#[tokio::test]
async fn an_audit_cut_after_any_write_is_completed_by_the_next() {
    for writes in 0..MOST {
        let bench = Bench::start().await;
        let done = bench.enqueue("work").await;
        bench.drain(&scripted()).await;
        let waiting = bench.enqueue("work").await;
        let keys = bench.queue.keys();
        bench
            .redis()
            .zrem(&keys.finished, &[done.as_str()])
            .await
            .unwrap();
        bench
            .redis()
            .zadd(&keys.index, &[(5.0, done.as_str())])
            .await
            .unwrap();
        bench
            .redis()
            .zrem(&keys.index, &[waiting.as_str()])
            .await
            .unwrap();
        let mut args: Value = serde_json::from_str(&request(&bench, &done)).unwrap();
        args["cursor"] = json!("0");
        args["count"] = json!(500);
        run_cut(&bench, "audit", writes, &[args.to_string()]).await;
        bench.queue.audit().await.unwrap();
        assert_eq!(total(&bench).await, 2, "cut after {writes}");
        assert_eq!(bench.drain(&scripted()).await.completed, 1);
        assert_eq!(bench.count(JobState::Completed).await, 2);
    }
}
