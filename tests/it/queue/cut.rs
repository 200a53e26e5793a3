//! Scripts that fail half-way: whatever they have written, the next rounds repair it.

use std::time::Duration;

use integration::Scripted;
use shared::queue::{JobState, Outcome, SCRIPTS};
use shared::redis::Command;

use super::{Bench, until_running};

/// Returns a script that fails after `writes` writes. The cached script cannot be changed
/// under its own SHA, so a prelude replaces `redis.call`; the result has its own SHA.
fn cut(text: &str, writes: u32) -> String {
    let (shebang, body) = text.split_once('\n').unwrap();
    let prelude = format!(
        "local redis_call, written = redis.call, 0\n\
         local writing = {{ HSET = true, HSETNX = true, HDEL = true, ZADD = true, ZREM = true, XDEL = true, DEL = true, SET = true }}\n\
         local redis = {{ call = function(name, ...)\n\
           if writing[name] then\n\
             if written == {writes} then error('cut') end\n\
             written = written + 1\n\
           end\n\
           return redis_call(name, ...)\n\
         end }}"
    );
    format!("{shebang}\n{prelude}\n{body}")
}

fn script(name: &str) -> &'static str {
    SCRIPTS
        .iter()
        .find(|script| script.name == name)
        .unwrap()
        .text()
}

/// Runs a script that fails after this many writes. Returns whether it did.
pub async fn run_cut(bench: &Bench, name: &str, writes: u32, args: &[String]) -> bool {
    run_cut_on(bench, name, writes, &[], args).await
}

/// Like [`run_cut`], with additional keys.
pub async fn run_cut_on(
    bench: &Bench,
    name: &str,
    writes: u32,
    more: &[&str],
    args: &[String],
) -> bool {
    let keys = bench.queue.keys();
    let own = [&keys.index, &keys.records, &keys.finished, &keys.parked].map(String::as_str);
    let keys = [&own, more].concat();
    let redis = crate::redis::client(&bench.server);
    let command = Command::<shared::redis::Reply>::once("EVAL")
        .arg(cut(script(name), writes))
        .arg(keys.len())
        .args(keys)
        .args(args);
    command.send(&*redis).await.is_err()
}

pub fn tick(bench: &Bench, more: serde_json::Value) -> Vec<String> {
    let mut request = serde_json::json!({
        "now": bench.clock.now_ms(), "day": "20261121", "token": "cut", "want": 0, "pick": 5, "measure": false, "lease": 60_000,
        "aging": 900_000, "sweep": false, "replay": false, "settle": [], "renew": [],
    });
    request
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    vec![request.to_string()]
}

/// The request of cancel and redrive for a single job.
pub fn request(bench: &Bench, id: &shared::queue::JobId) -> String {
    serde_json::json!({
        "now": bench.clock.now_ms(), "day": "20261121", "aging": 900_000, "id": id, "ids": [id],
    })
    .to_string()
}

/// Drains until all jobs have finished.
pub async fn finish(bench: &Bench) {
    for _ in 0..8 {
        bench.advance(Duration::from_secs(61));
        bench.drain(&Scripted::default()).await;
    }
}

#[tokio::test]
async fn a_claim_cut_after_any_write_loses_no_job_and_no_attempt() {
    for writes in 0..4 {
        let bench = Bench::start().await;
        let ids = [bench.enqueue("work").await, bench.enqueue("work").await];
        let args = tick(&bench, serde_json::json!({ "want": 5 }));
        let died = run_cut(&bench, "tick", writes, &args).await;
        assert_eq!(died, writes < 2, "a claim has two writes");
        finish(&bench).await;
        for id in &ids {
            let job = bench.read(id).await;
            assert_eq!(
                (job.state, job.attempts_made),
                (JobState::Completed, 1),
                "cut after {writes}"
            );
        }
    }
}

#[tokio::test]
async fn an_outcome_cut_after_any_write_is_kept_or_run_again_and_counted_once() {
    for outcome in ["completed", "failed", "retry", "snooze", "cancelled"] {
        for writes in 0..4 {
            let bench = Bench::start().await;
            let id = bench.enqueue("held").await;
            let handler = Scripted::default().on("held", |_| std::future::pending());
            let holder = bench.start_drain(&handler, 900).task;
            until_running(&handler, 1).await;
            holder.abort();
            let settle = serde_json::json!([{ "id": id.as_str(), "fence": 1, "outcome": outcome, "run_at": bench.clock.now_ms() + 1000, "data": "1" }]);
            let args = tick(&bench, serde_json::json!({ "settle": settle }));
            run_cut(&bench, "tick", writes, &args).await;
            finish(&bench).await;

            let job = bench.read(&id).await;
            assert!(
                job.state.is_finished(),
                "{outcome} cut after {writes}: {:?}",
                job.state
            );
            let counts = bench.queue.counts().await.unwrap();
            assert_eq!(
                counts.iter().map(|(_, n)| n).sum::<u64>(),
                1,
                "{outcome} cut after {writes}: {counts:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_enqueue_cut_after_any_write_is_healed_by_sending_it_again() {
    for unique in [None, Some("k".to_owned())] {
        for writes in 0..3 {
            let bench = Bench::start().await;
            let mut job = bench.job("work");
            job.unique = unique.clone();
            let mut spec = serde_json::json!({
                "v": 1, "kind": job.kind, "priority": 5, "max_attempts": 3, "enqueued": bench.clock.now_ms(),
                "run_at": bench.clock.now_ms(), "backoff": job.backoff,
            });
            let mut entry = serde_json::json!({ "id": job.id.as_str(), "priority": 5, "run_at": bench.clock.now_ms() });
            if let Some(key) = &job.unique {
                entry["unique"] = serde_json::json!(key);
                spec["unique"] = serde_json::json!(key);
            }
            let spec = format!("{spec}\n{}", job.args);
            let request = serde_json::json!({ "now": bench.clock.now_ms(), "day": "20261121", "aging": 900_000, "jobs": [entry] });
            let args = [request.to_string(), spec];
            run_cut(&bench, "enqueue", writes, &args).await;
            // The caller retries, and the script runs completely.
            assert!(!run_cut(&bench, "enqueue", 99, &args).await);
            let handler = Scripted::default();
            assert_eq!(
                bench.drain(&handler).await.completed,
                1,
                "cut after {writes}"
            );
            assert_eq!(bench.read(&job.id).await.state, JobState::Completed);
        }
    }
}

#[tokio::test]
async fn a_cancel_or_redrive_cut_after_any_write_leaves_one_job_in_one_state() {
    for (name, begins_failed) in [("cancel", false), ("redrive", true)] {
        for writes in 0..5 {
            let bench = Bench::start().await;
            let handler = Scripted::default().on("bad", |_| async {
                Outcome::Fail {
                    reason: "no".into(),
                }
            });
            let id = bench.enqueue("bad").await;
            if begins_failed {
                bench.drain(&handler).await;
            }
            let args = [request(&bench, &id)];
            run_cut(&bench, name, writes, &args).await;
            finish(&bench).await;
            assert!(
                bench.read(&id).await.state.is_finished(),
                "{name} cut after {writes}"
            );
            let counts = bench.queue.counts().await.unwrap();
            assert_eq!(
                counts.iter().map(|(_, n)| n).sum::<u64>(),
                1,
                "{name} cut after {writes}: {counts:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_enqueue_cut_half_way_does_not_hold_its_unique_key_for_ever() {
    let bench = Bench::start().await;
    let now = bench.clock.now_ms();
    let mut first = bench.job("work");
    first.unique = Some("k".to_owned());
    let spec = serde_json::json!({ "v": 1, "kind": "work", "priority": 5, "max_attempts": 3, "enqueued": now, "run_at": now, "unique": "k" });
    let request = serde_json::json!({ "now": now, "day": "20261121", "aging": 900_000, "jobs": [{ "id": first.id.as_str(), "priority": 5, "run_at": now, "unique": "k" }] });
    let args = [request.to_string(), format!("{spec}\n{}", first.args)];
    assert!(run_cut(&bench, "enqueue", 1, &args).await);

    // Another caller with its own job ID.
    let mut second = bench.job("work");
    second.unique = Some("k".to_owned());
    let stored = bench.queue.enqueue(second).await.unwrap();
    assert_eq!((stored.is_duplicate(), stored.id()), (true, &first.id));
    assert_eq!(bench.drain(&Scripted::default()).await.completed, 1);
    assert_eq!(bench.read(&first.id).await.state, JobState::Completed);
}

#[tokio::test]
async fn retention_spares_a_job_whose_redrive_was_cut() {
    let bench = Bench::start().await;
    let handler = Scripted::default().on("bad", |_| async {
        Outcome::Fail {
            reason: "no".into(),
        }
    });
    let id = bench.enqueue("bad").await;
    bench.drain(&handler).await;
    bench.advance(Duration::from_secs(8 * 24 * 3600));
    let args = [request(&bench, &id)];
    assert!(run_cut(&bench, "redrive", 2, &args).await);
    bench.queue.retain().await.unwrap();
    assert_eq!(bench.read(&id).await.state, JobState::Waiting);
    assert_eq!(bench.drain(&Scripted::default()).await.completed, 1);
}
