//! A waiting job that is requested again, for an earlier time or with a better priority.

use std::time::Duration;

use integration::TestApp;
use serde_json::{Value, json};
use shared::config::QueueConfig;
use shared::queue::{
    Enqueued, JobId, JobState, Missed, NewJob, OnUnique, Recurring, Schedule, Slots,
};

use super::{Bench, config, duplicate, gated, scripted, until_running};
use crate::scan::{CHANNEL, GUILD, guild_with};

const DAY_MS: i64 = 86_400_000;

fn unique(bench: &Bench, run_at_ms: Option<i64>, priority: u8) -> NewJob {
    NewJob {
        unique: Some("k".into()),
        run_at_ms,
        priority,
        ..bench.job("work")
    }
}

fn hastened(id: &JobId) -> Enqueued {
    Enqueued::Duplicate {
        id: id.clone(),
        hastened: true,
        differs: false,
    }
}

async fn enqueue(bench: &Bench, job: NewJob) -> Enqueued {
    bench.queue.enqueue(job).await.unwrap()
}

#[tokio::test]
async fn a_job_set_for_later_runs_now_when_it_is_asked_for_now() {
    let bench = Bench::start().await;
    let later = unique(&bench, Some(bench.clock.now_ms() + 300 * DAY_MS), 10);
    let id = later.id.clone();
    enqueue(&bench, later).await;
    let now = enqueue(&bench, unique(&bench, None, 1)).await;
    assert_eq!(now, hastened(&id));
    let job = bench.read(&id).await;
    assert_eq!((job.state, job.priority), (JobState::Waiting, 1));
    assert_eq!(job.run_at, bench.clock.now_ms());
    assert_eq!(bench.drain(&scripted()).await.completed, 1);
    assert_eq!(bench.state(&id).await, JobState::Completed);
}

#[tokio::test]
async fn the_earlier_time_and_the_better_priority_apply_independently() {
    let bench = Bench::start().await;
    let at = |hours: i64| Some(bench.clock.now_ms() + hours * 3_600_000);
    let first = unique(&bench, at(5), 5);
    let id = first.id.clone();
    enqueue(&bench, first).await;
    for (hours, priority, changes, expected) in [
        (9, 9, false, (5, 5)),
        (9, 3, true, (5, 3)),
        (2, 8, true, (2, 3)),
        (2, 3, false, (2, 3)),
    ] {
        let answer = enqueue(&bench, unique(&bench, at(hours), priority)).await;
        let wanted = if changes {
            hastened(&id)
        } else {
            duplicate(id.clone())
        };
        assert_eq!(answer, wanted, "{hours} h, {priority}");
        let job = bench.read(&id).await;
        assert_eq!(
            (Some(job.run_at), job.priority),
            (at(expected.0), expected.1)
        );
    }
    bench.advance(Duration::from_secs(2 * 3600 - 1));
    assert_eq!(bench.drain(&scripted()).await.claimed, 0);
    bench.advance(Duration::from_secs(1));
    assert_eq!(bench.drain(&scripted()).await.completed, 1);
}

#[tokio::test]
async fn jobs_of_one_call_hasten_each_other_too() {
    let bench = Bench::start().await;
    let later = unique(&bench, Some(bench.clock.now_ms() + DAY_MS), 9);
    let id = later.id.clone();
    let now = unique(&bench, None, 2);
    let answers = bench.queue.enqueue_many(vec![later, now]).await.unwrap();
    assert_eq!(answers, [Enqueued::New(id.clone()), hastened(&id)]);
    let job = bench.read(&id).await;
    assert_eq!((job.state, job.priority), (JobState::Waiting, 2));
    assert_eq!(bench.drain(&scripted()).await.completed, 1);
}

#[tokio::test]
async fn a_job_that_was_begun_keeps_its_time() {
    let bench = Bench::start().await;
    let (handler, gate) = gated();
    let running = NewJob {
        unique: Some("k".into()),
        ..bench.job("gated")
    };
    let id = running.id.clone();
    enqueue(&bench, running).await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    let again = NewJob {
        unique: Some("k".into()),
        priority: 1,
        ..bench.job("gated")
    };
    assert_eq!(enqueue(&bench, again).await, duplicate(id));
    gate.add_permits(1);
    drainer.await.unwrap();
    // A job that waits for its next attempt does not skip the wait.
    let bad = |priority| NewJob {
        unique: Some("b".into()),
        priority,
        ..bench.job("bad")
    };
    let first = bad(5);
    let id = first.id.clone();
    enqueue(&bench, first).await;
    bench.drain(&scripted()).await;
    assert_eq!(bench.state(&id).await, JobState::Delayed);
    assert_eq!(enqueue(&bench, bad(1)).await, duplicate(id.clone()));
    assert_eq!(bench.state(&id).await, JobState::Delayed);
}

#[tokio::test]
async fn a_parked_job_keeps_its_place_in_the_group_in_order() {
    let bench = Bench::with(QueueConfig {
        group_limit: Some(1),
        ..config()
    })
    .await;
    let (handler, gate) = gated();
    let member = |key: &str, priority| NewJob {
        group: Some("g".into()),
        unique: Some(key.to_owned()),
        priority,
        ..bench.job("gated")
    };
    enqueue(&bench, member("first", 1)).await;
    let drainer = bench.start_drain(&handler, 900).task;
    until_running(&handler, 1).await;
    let (a, b) = (member("a", 5), member("b", 6));
    let (a_id, b_id) = (a.id.clone(), b.id.clone());
    bench.queue.enqueue_many(vec![a, b]).await.unwrap();
    bench.drain(&scripted()).await;
    assert_eq!(enqueue(&bench, member("b", 2)).await, hastened(&b_id));
    gate.add_permits(3);
    drainer.await.unwrap();
    bench.drain(&handler).await;
    let ran: Vec<String> = handler.ran().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ran[1..], [b_id.to_string(), a_id.to_string()]);
}

#[tokio::test]
async fn a_job_can_opt_out_of_being_hastened() {
    let bench = Bench::start().await;
    let keep = |run_at_ms| NewJob {
        on_unique: OnUnique::Keep,
        ..unique(&bench, run_at_ms, 5)
    };
    let first = keep(Some(bench.clock.now_ms() + DAY_MS));
    let id = first.id.clone();
    enqueue(&bench, first).await;
    assert_eq!(enqueue(&bench, keep(None)).await, duplicate(id.clone()));
    assert_eq!(bench.state(&id).await, JobState::Delayed);
}

#[tokio::test]
async fn a_slot_is_not_swallowed_by_a_job_set_for_much_later() {
    let bench = Bench::start().await;
    let recurring = Recurring {
        name: "nightly".into(),
        schedule: Schedule::every(Duration::from_secs(3600)).unwrap(),
        missed: Missed::Skip,
        job: unique(&bench, None, 3),
    };
    let all = [recurring];
    let mut seen = Slots::default();
    bench.queue.fire(&all, &mut seen).await.unwrap();
    bench.advance(Duration::from_secs(3600));
    let later = unique(&bench, Some(bench.clock.now_ms() + 300 * DAY_MS), 10);
    let id = later.id.clone();
    enqueue(&bench, later).await;
    bench.queue.fire(&all, &mut seen).await.unwrap();
    let job = bench.read(&id).await;
    assert_eq!((job.state, job.priority), (JobState::Waiting, 3));
}

#[tokio::test]
async fn a_plain_duplicate_costs_what_it_did_and_a_hastened_one_a_command_more() {
    let bench = Bench::start().await;
    let at = |minutes: i64| Some(bench.clock.now_ms() + minutes * 60_000);
    enqueue(&bench, unique(&bench, at(50), 5)).await;
    enqueue(&bench, unique(&bench, at(40), 5)).await;
    let cost = async |job: NewJob| {
        bench.server.reset_meter();
        enqueue(&bench, job).await;
        bench.server.meter().total
    };
    let plain = cost(unique(&bench, at(60), 5)).await;
    let sooner = cost(unique(&bench, at(30), 5)).await;
    assert!(sooner <= plain + 1, "{sooner} and {plain}");
}

/// Requests a scan and returns the body of the reply.
async fn scan(app: &TestApp, more: Value) -> Value {
    let mut body = json!({ "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let reply = app.post("/api/jobs/scan", &body).await;
    assert_eq!(reply.status, 202, "{}", reply.json);
    reply.json
}

#[tokio::test]
async fn a_scan_asked_for_now_is_not_swallowed_by_one_for_later() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    let later = app.clock.now_ms() + 300 * DAY_MS;
    let set = scan(&app, json!({ "runAt": later, "priority": 10 })).await;
    let options = json!({ "priority": 1, "options": { "maxMessages": 5 } });
    let now = scan(&app, options).await;
    assert_eq!(
        (&now["jobId"], &now["duplicate"]),
        (&set["jobId"], &json!(true))
    );
    assert_eq!(now["optionsIgnored"], true);
    let same = scan(&app, json!({})).await;
    assert_eq!(
        (&same["duplicate"], &same["optionsIgnored"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(app.drain().await["completed"], 1);
    // Both in one body.
    let place =
        json!({ "type": "scan", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() });
    let mut for_later = place.clone();
    for_later["runAt"] = json!(later);
    let both = app.post("/api/jobs", &json!([for_later, place])).await.json;
    assert_eq!(both["jobs"][0]["jobId"], both["jobs"][1]["jobId"]);
    assert_eq!(app.drain().await["completed"], 1);
}
