//! Discord is unavailable, pauses all requests of the bot, or rejects its token. All
//! scans then wait without losing an attempt and resume on their own.

use std::time::Duration;

use discord_local::guild::ChannelSpec;
use discord_local::{Action, Fault, Scope};
use integration::{Options, TestApp};
use serde_json::{Value, json};
use shared::redis::commands::strings::{SetOptions, Strings as _};
use shared::scan::{Breaker, PauseReason, Trip};

use super::{CHANNEL, GUILD, guild_with, message, true_clip_ids};

/// Channels of 250 messages.
pub async fn channels(n: u64) -> TestApp {
    let mut guild = guild_with(0, 1);
    for channel in CHANNEL..CHANNEL + n {
        guild.add_channel(ChannelSpec::text(channel, "clips"));
        guild.fill(channel, 250, |i| message(i, i % 10 == 0));
    }
    TestApp::with_guild(guild).await
}

/// Drains and advances the clock until no job is left or `most` has passed.
pub async fn drain_for(app: &TestApp, ids: &[String], most: Duration) -> Vec<Value> {
    let end = app.clock.now_ms() + most.as_millis() as i64;
    loop {
        app.drain().await;
        let mut jobs = Vec::new();
        for id in ids {
            jobs.push(app.job(id).await);
        }
        let due = jobs.iter().filter(|job| job["finishedAt"].is_null());
        let due = due.map(|job| job["runAt"].as_i64().unwrap()).min();
        match due {
            Some(due) if app.clock.now_ms() < end => {
                let wait = (due - app.clock.now_ms()).max(1) as u64;
                app.advance(Duration::from_millis(wait));
            }
            _ => return jobs,
        }
    }
}

#[tokio::test]
async fn during_an_outage_of_discord_all_scans_wait_without_losing_an_attempt_and_then_complete() {
    for action in [
        Action::DropConnection,
        Action::Status(503),
        Action::HtmlBody(502),
    ] {
        let app = channels(4).await;
        // Two have read a part already, and no other has more than started.
        let away = Fault::always(action.clone()).skip(6);
        app.discord.faults().add(away);
        let mut ids = Vec::new();
        for channel in CHANNEL..CHANNEL + 4 {
            ids.push(app.scan(channel, json!({})).await);
        }
        let before = app.discord.requests().len();
        let jobs = drain_for(&app, &ids, Duration::from_secs(1200)).await;
        for job in &jobs {
            assert_eq!(
                (&job["state"], &job["attemptsMade"]),
                (&json!("delayed"), &json!(0)),
                "{job}"
            );
        }
        // One request probes for all, with intervals that double up to five minutes.
        let asked = app.discord.requests().len() - before;
        assert!(asked < 6 + 5 * 13, "{asked} requests in twenty minutes");
        let stream = app.stream(&ids[0]).await;
        assert_eq!(stream["currentState"]["status"], "PENDING");

        app.discord.faults().clear();
        let jobs = drain_for(&app, &ids, Duration::from_secs(400)).await;
        for (n, job) in jobs.iter().enumerate() {
            assert_eq!(
                (&job["state"], &job["attemptsMade"]),
                (&json!("completed"), &json!(1)),
                "{job}"
            );
            assert_eq!(job["returnvalue"]["messagesScanned"], 250);
            let channel = CHANNEL + n as u64;
            assert_eq!(
                app.clip_ids(channel).await,
                true_clip_ids(&app.discord.guild(), channel)
            );
        }
        // A scan that starts now does not wait.
        let next = app.scan(CHANNEL, json!({})).await;
        app.drain().await;
        assert_eq!(app.job(&next).await["state"], "completed");
    }
}

#[tokio::test]
async fn ten_seconds_without_discord_delay_scans_by_some_seconds() {
    let app = channels(2).await;
    app.discord
        .faults()
        .add(Fault::always(Action::DropConnection));
    let ids = [
        app.scan(CHANNEL, json!({})).await,
        app.scan(CHANNEL + 1, json!({})).await,
    ];
    drain_for(&app, &ids, Duration::from_secs(10)).await;
    app.discord.faults().clear();
    let began = app.clock.now_ms();
    let jobs = drain_for(&app, &ids, Duration::from_secs(60)).await;
    assert!(
        jobs.iter().all(|job| job["state"] == "completed"),
        "{jobs:?}"
    );
    let took = app.clock.now_ms() - began;
    assert!(took < 20_000, "{took} ms");
}

async fn last_event(app: &TestApp, id: &str) -> Value {
    let (mut last, mut newest) = ("0".to_owned(), Value::Null);
    for _ in 0..100 {
        let path = format!("/api/scans/stream/{id}?lastId={last}");
        let stream = app.get(&path).await.json;
        let Some(event) = stream["events"].as_array().unwrap().last() else {
            break;
        };
        newest = event.clone();
        last = stream["lastId"].as_str().unwrap().to_owned();
    }
    newest
}

#[tokio::test]
async fn a_job_that_waited_for_a_day_fails_with_a_reason() {
    let app = channels(1).await;
    app.discord.faults().add(Fault::always(Action::Status(500)));
    let message_id = app.discord.guild().message_ids(CHANNEL)[0].to_string();
    let body = json!({ "type": "message", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "messageIds": [message_id] });
    let single = app.post("/api/jobs", &body).await;
    let ids = [
        app.scan(CHANNEL, json!({})).await,
        single.text("/jobs/0/jobId").to_owned(),
    ];
    let jobs = drain_for(&app, &ids, Duration::from_secs(23 * 3600)).await;
    assert!(
        jobs.iter().all(|job| job["finishedAt"].is_null()),
        "{jobs:?}"
    );
    let jobs = drain_for(&app, &ids, Duration::from_secs(2 * 3600)).await;
    for (id, job) in ids.iter().zip(&jobs) {
        assert_eq!(
            (&job["state"], &job["attemptsMade"]),
            (&json!("failed"), &json!(1)),
            "{job}"
        );
        let reason = job["failedReason"].as_str().unwrap();
        assert!(
            reason.contains("could not be reached for a day"),
            "{reason}"
        );
        let stream = app.stream(id).await;
        assert_eq!(stream["currentState"]["status"], "FAILED");
        assert_eq!(last_event(&app, id).await["data"]["status"], "FAILED");
    }
    let status = format!("/api/guilds/{GUILD}/channels/{CHANNEL}/scan-status");
    assert_eq!(app.get(&status).await.json["status"], "FAILED");
    app.leaves_failed(2);
}

#[tokio::test]
async fn a_channel_that_fails_while_others_do_not_costs_its_own_attempts() {
    let app = channels(2).await;
    let poison = Fault::always(Action::Status(500)).on(&format!("{CHANNEL}/messages"));
    app.discord.faults().add(poison);
    let sick = app.scan(CHANNEL, json!({})).await;
    let mut job = Value::Null;
    for _ in 0..40 {
        // Another scan that starts now and then and that Discord answers.
        app.scan(CHANNEL + 1, json!({})).await;
        job = drain_for(&app, std::slice::from_ref(&sick), Duration::from_secs(15))
            .await
            .remove(0);
        if job["finishedAt"].is_i64() {
            break;
        }
    }
    assert_eq!(
        (&job["state"], &job["attemptsMade"]),
        (&json!("failed"), &json!(3)),
        "{job}"
    );
    assert_eq!(app.channel(CHANNEL + 1).await.total_messages_scanned, 250);
    app.leaves_failed(1);
}

#[tokio::test]
async fn a_limit_of_all_requests_stops_every_job_at_once() {
    let app = channels(5).await;
    let limited = Action::RateLimited {
        scope: Scope::Global,
        retry_after_secs: 75.0,
    };
    // Each has read its first page.
    app.discord.faults().add(Fault::always(limited).skip(8));
    let mut ids = Vec::new();
    for channel in CHANNEL..CHANNEL + 4 {
        ids.push(app.scan(channel, json!({})).await);
    }
    app.drain().await;
    let refused = |app: &TestApp| {
        let requests = app.discord.requests();
        requests
            .iter()
            .filter(|request| request.status == 429)
            .count()
    };
    // Those in flight, and none after that.
    let n = refused(&app);
    assert!((1..=4).contains(&n), "{n} were refused");
    // A newly started scan, in any function, sends none either.
    ids.push(app.scan(CHANNEL + 4, json!({})).await);
    app.advance(Duration::from_secs(60));
    app.drain().await;
    assert_eq!(refused(&app), n);

    app.discord.faults().clear();
    let jobs = drain_for(&app, &ids, Duration::from_secs(120)).await;
    for job in jobs {
        assert_eq!(
            (&job["state"], &job["attemptsMade"]),
            (&json!("completed"), &json!(1)),
            "{job}"
        );
    }
}

#[tokio::test]
async fn a_limit_of_one_channel_stops_no_other() {
    let app = channels(2).await;
    let limited = Action::RateLimited {
        scope: Scope::User,
        retry_after_secs: 75.0,
    };
    app.discord
        .faults()
        .add(Fault::once(limited).on(&format!("{CHANNEL}/messages")));
    let ids = [
        app.scan(CHANNEL, json!({})).await,
        app.scan(CHANNEL + 1, json!({})).await,
    ];
    app.drain().await;
    assert_eq!(app.job(&ids[0]).await["state"], "delayed");
    assert_eq!(app.job(&ids[1]).await["state"], "completed");
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn requests_stop_before_discord_blocks_the_ip_address() {
    let app = channels(1).await;
    let (store, now) = (app.store(), app.clock.now_ms());
    let refused = Trip {
        why: PauseReason::Limited,
        wait: Duration::ZERO,
        is_refusal: true,
        token: "mark",
    };
    for _ in 0..8_999 {
        let (until, _) = store.trip(now, &refused, None).await.unwrap();
        assert!(until <= now);
    }
    let (until, _) = store.trip(now, &refused, None).await.unwrap();
    assert_eq!(until, now + 600_000);
    let id = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert!(app.discord.requests().is_empty());
    let jobs = drain_for(&app, &[id], Duration::from_secs(700)).await;
    assert_eq!(jobs[0]["state"], "completed");
}

#[tokio::test]
async fn all_scans_together_keep_the_pace_of_the_bot() {
    let mut guild = guild_with(0, 1);
    for channel in CHANNEL..CHANNEL + 8 {
        guild.add_channel(ChannelSpec::text(channel, "clips"));
        guild.fill(channel, 1500, |i| message(i, i % 50 == 0));
    }
    let app = TestApp::start(Options {
        guild,
        page_interval: Duration::from_millis(1),
        ..Options::default()
    })
    .await;
    for channel in CHANNEL..CHANNEL + 8 {
        app.scan(channel, json!({})).await;
    }
    let drain = app.functions.drain.clone();
    let running = tokio::spawn(async move { drain.handle(json!({}), 0).await.unwrap() });
    // The number of requests at each step of 50 ms.
    let mut counts = Vec::new();
    for _ in 0..2000 {
        for _ in 0..200 {
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_micros(50)).await;
            if running.is_finished() {
                break;
            }
        }
        counts.push(app.discord.requests().len());
        if running.is_finished() {
            break;
        }
        app.advance(Duration::from_millis(50));
    }
    assert_eq!(running.await.unwrap().scans.completed, 8);
    let most = counts
        .windows(21)
        .map(|window| window[20] - window[0])
        .max();
    assert!(most.is_some_and(|most| most <= 50), "{most:?} in a second");
}

#[tokio::test]
async fn a_pause_written_by_an_earlier_version_is_kept() {
    let app = channels(1).await;
    let until = app.clock.now_ms() + 60_000;
    let text = until.to_string();
    let key = "trawl:discord:pace:breaker";
    let written = app.redis.set(key, &text, SetOptions::new());
    written.await.unwrap();
    let id = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(app.job(&id).await["state"], "delayed");
    assert!(app.discord.requests().is_empty());
    assert_eq!(Breaker::parse("nonsense").pauses("", 0), None);
    app.leaves_unfinished(1);
}
