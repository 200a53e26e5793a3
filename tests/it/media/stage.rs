//! The queue `clip` as a stage behind the scans: its cost, and how it survives lost requests
//! and dead drainers.

use std::task::Poll;
use std::time::Duration;

use discord_local::{Action, Fault};
use integration::{Options, TestApp};
use serde_json::{Value, json};
use shared::config::QueueConfig;
use shared::waker::BY_ENQUEUE;
use upstash_local::{Fault as Loss, FaultAction};

use crate::scan::{CHANNEL, GUILD, guild_with, message};

async fn site(n_clips: usize) -> TestApp {
    TestApp::start(Options {
        guild: guild_with(n_clips, 1),
        probes: Some(Duration::from_secs(10)),
        ..Options::default()
    })
    .await
}

async fn scanned(n_clips: usize) -> TestApp {
    let app = site(n_clips).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    app
}

/// How many clips are listed in each state.
async fn states(app: &TestApp) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/guilds/{GUILD}/clips?limit=100{cursor}");
        let page = app.get(&path).await.json;
        for clip in page["clips"].as_array().unwrap() {
            *counts
                .entry(clip["probe"].as_str().unwrap().to_owned())
                .or_insert(0) += 1;
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return counts.into_iter().collect(),
        }
    }
}

fn all_ok(n: usize) -> Vec<(String, usize)> {
    vec![("ok".to_owned(), n)]
}

#[tokio::test]
async fn a_clip_costs_less_than_one_command_beyond_its_record() {
    let app = scanned(300).await;
    // The scripts are cached by a first stage.
    app.advance(Duration::from_secs(20));
    app.drain().await;
    let second = CHANNEL + 1;
    app.discord.change_guild(|guild| {
        guild.add_text_channel(second, "more");
        guild.fill(second, 300, |i| message(i, true));
    });
    app.advance(Duration::from_secs(61));
    app.scan(second, json!({})).await;
    app.drain().await;
    app.advance(Duration::from_secs(20));
    app.endpoint.reset_meter();
    let report = app.drain().await;
    assert_eq!(report["clip"]["completed"], 1, "{report}");
    let meter = app.endpoint.meter();
    assert!(meter.total < 300, "{} commands for 300 clips", meter.total);
    assert_eq!(states(&app).await, all_ok(600));
    let mut lines = vec![format!("300 clips: total {}", meter.total)];
    lines.extend(meter.commands.iter().map(|(name, n)| format!("{name} {n}")));
    lines.extend(
        meter
            .requests
            .iter()
            .map(|(kind, n)| format!("http {kind} {n}")),
    );
    // A single clip costs what a job costs.
    app.discord.add_message(CHANNEL, message(300, true));
    app.advance(Duration::from_secs(61));
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    app.advance(Duration::from_secs(20));
    app.endpoint.reset_meter();
    app.drain().await;
    lines.push(format!("1 clip: total {}", app.endpoint.meter().total));
    assert_eq!(states(&app).await, all_ok(601));
    crate::golden("clip-stage", &lines);
}

#[tokio::test]
async fn a_drainer_that_lingers_runs_the_job_of_its_own_scan() {
    let app = TestApp::start(Options {
        guild: guild_with(3, 1),
        probes: Some(Duration::from_secs(10)),
        queue: QueueConfig {
            linger: Duration::from_secs(20),
            clock_skew: None,
            ..QueueConfig::default()
        },
        ..Options::default()
    })
    .await;
    let scan = app.scan(CHANNEL, json!({})).await;
    let drain = app.functions.drain.clone();
    // Nobody but its own scan tells this drainer of the job.
    let woken = json!({ "source": BY_ENQUEUE });
    let drain = tokio::spawn(async move { drain.handle(woken, 0).await });
    while app.job(&scan).await["state"] != "completed" {
        tokio::task::yield_now().await;
    }
    app.advance(Duration::from_secs(20));
    let drained = drain.await.unwrap().unwrap();
    assert_eq!((drained.scans.completed, drained.clips.completed), (1, 1));
    // The claim of the job, and the report of its end.
    assert_eq!(drained.clips.rounds, 2);
    assert_eq!(states(&app).await, all_ok(3));
}

#[tokio::test]
async fn scans_that_find_clips_at_the_same_time_share_a_job() {
    let app = site(3).await;
    for n in 1..4 {
        app.discord.change_guild(|guild| {
            guild.add_text_channel(CHANNEL + n, "more");
            guild.fill(CHANNEL + n, 3, |i| message(i, true));
        });
        app.scan(CHANNEL + n, json!({})).await;
    }
    app.scan(CHANNEL, json!({})).await;
    assert_eq!(app.drain().await["completed"], 4);
    app.advance(Duration::from_secs(20));
    assert_eq!(app.drain().await["clip"]["claimed"], 1);
    assert_eq!(states(&app).await, all_ok(12));
}

#[tokio::test]
async fn one_invocation_serves_both_queues() {
    let app = scanned(2).await;
    app.discord.add_message(CHANNEL, message(5, true));
    app.advance(Duration::from_secs(20));
    app.scan(CHANNEL, json!({})).await;
    let report = app.drain().await;
    assert_eq!(
        (&report["completed"], &report["clip"]["completed"]),
        (&json!(1), &json!(1))
    );
    app.advance(Duration::from_secs(20));
    app.drain().await;
    assert_eq!(states(&app).await, all_ok(3));
}

#[tokio::test]
async fn two_drainers_do_not_look_into_a_clip_twice() {
    let app = scanned(60).await;
    app.discord.clear_requests();
    app.advance(Duration::from_secs(20));
    tokio::join!(app.drain(), app.drain());
    assert_eq!(states(&app).await, all_ok(60));
    assert_eq!(app.discord.requests().len(), 60);
}

/// Drains until no clip waits.
async fn look_through(app: &TestApp) {
    for _ in 0..12 {
        app.advance(Duration::from_secs(75));
        app.drain().await;
        if states(app)
            .await
            .iter()
            .all(|(state, _)| state != "pending")
        {
            return;
        }
    }
    panic!("clips wait for ever: {:?}", states(app).await);
}

#[tokio::test]
async fn a_request_to_redis_lost_at_any_place_of_a_look_changes_nothing() {
    let mut fired = 0;
    for action in [
        FaultAction::DropBefore,
        FaultAction::DropAfterCommit,
        FaultAction::Duplicate,
        FaultAction::StatusAfterCommit(500),
        FaultAction::Status(503),
    ] {
        // A scheduled drainer's look, the claim, the reads, the results, the outcome.
        for skip in 0..8 {
            let app = scanned(4).await;
            let fault = Loss {
                action,
                matching: None,
                skip,
                times: 1,
            };
            app.advance(Duration::from_secs(20));
            app.endpoint.faults().add(fault);
            // Some drains fail, as an invocation would.
            let _ = app.functions.drain.handle(json!({}), 0).await;
            fired += app.endpoint.faults().fired();
            app.endpoint.faults().clear();
            look_through(&app).await;
            assert_eq!(states(&app).await, all_ok(4), "{action:?} at {skip}");
        }
    }
    assert!(fired >= 30, "only {fired} faults fired");
}

#[tokio::test]
async fn a_drainer_that_dies_while_it_reads_files_is_replaced() {
    for skip in 0..4 {
        let app = scanned(4).await;
        let held = Fault::always(Action::Delay(Duration::from_secs(3600)));
        app.discord
            .faults()
            .add(held.on("/attachments/").skip(skip));
        app.advance(Duration::from_secs(20));
        app.discord.clear_requests();
        let drain = app.functions.drain.clone();
        let dying = tokio::spawn(async move { drain.handle(Value::Null, 0).await });
        while app.discord.requests().len() <= skip as usize {
            tokio::task::yield_now().await;
        }
        dying.abort();
        assert!(dying.await.is_err());
        app.discord.faults().clear();
        look_through(&app).await;
        assert_eq!(states(&app).await, all_ok(4));
    }
}

#[tokio::test]
async fn a_drainer_may_die_at_any_await_of_a_look() {
    let mut n_died = 0;
    for most in (1..).step_by(3) {
        let app = scanned(4).await;
        app.advance(Duration::from_secs(20));
        let mut drain = Box::pin(app.functions.drain.handle(json!({}), 0));
        let mut polls = 0;
        let died = std::future::poll_fn(|context| {
            polls += 1;
            match polls > most {
                true => Poll::Ready(true),
                false => drain.as_mut().poll(context).map(|_| false),
            }
        })
        .await;
        drop(drain);
        look_through(&app).await;
        assert_eq!(states(&app).await, all_ok(4), "after {most} polls");
        if !died {
            break;
        }
        n_died += 1;
    }
    assert!(n_died >= 3, "only {n_died} drainers died");
}

#[tokio::test]
async fn idle_hours_cost_no_more_with_two_queues_and_both_are_tidied() {
    let app = scanned(4).await;
    app.advance(Duration::from_secs(20));
    app.drain().await;
    let minute = async || {
        app.advance(Duration::from_secs(60));
        app.endpoint.reset_meter();
        app.drain().await;
        app.endpoint.meter().total
    };
    // The scripts of the hourly chores are cached.
    for _ in 0..4 * 60 {
        minute().await;
    }
    for hour in 0..4 {
        let mut sum = 0;
        for _ in 0..60 {
            sum += minute().await;
        }
        assert!(sum <= 72, "hour {hour}: {sum}");
    }
    // Completed jobs are kept for a day.
    app.advance(Duration::from_secs(86_400));
    for _ in 0..4 {
        app.advance(Duration::from_secs(3600));
        app.drain().await;
    }
    for queue in app.functions.drain.queues() {
        let stats = queue.stats().await.unwrap();
        assert_eq!(stats.completed, 0, "{}", queue.keys().queue);
        assert_eq!(stats.lifetime.completed, 1, "{}", queue.keys().queue);
    }
}

#[tokio::test]
async fn operators_see_and_pause_the_queue_of_clips() {
    let app = scanned(3).await;
    let as_admin = async |path: &str, method| {
        let request = app.http().request(method, app.path(path));
        let reply = app
            .send_plain(request.bearer_auth(TestApp::ADMIN_KEY))
            .await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.json);
        reply.json
    };
    as_admin("/api/admin/queues/clip/pause", reqwest::Method::POST).await;
    app.advance(Duration::from_secs(20));
    assert_eq!(app.drain().await["clip"]["claimed"], 0);
    let queues = as_admin("/api/admin/queues", reqwest::Method::GET).await;
    let expected = json!({ "name": "clip", "paused": true, "active": 0 });
    crate::assert_has(&queues["queues"][1], &expected);
    as_admin("/api/admin/queues/clip/resume", reqwest::Method::POST).await;
    app.drain().await;
    let metrics = as_admin("/api/admin/redis/metrics", reqwest::Method::GET).await;
    assert_eq!(metrics["queues"]["clip"]["completed"], 1);
    assert_eq!(states(&app).await, all_ok(3));
}
