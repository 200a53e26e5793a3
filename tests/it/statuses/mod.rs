//! `GET …/scan-statuses`, `GET …/scan-status`, `GET /api/scans/current`,
//! `GET /api/health/redis`.

use std::collections::BTreeMap;
use std::time::Duration;

use discord_local::guild::ChannelSpec;
use integration::{Options, TestApp};
use serde_json::{Value, json};
use shared::config::{DrainConfig, Environment, QueueConfig};
use shared::redis::commands::streams::Trim;
use shared::redis::commands::{Hashes as _, Streams as _};
use upstash_local::{Fault, FaultAction};

use crate::limits::CHECK;
use crate::scan::{CHANNEL, GUILD, guild_with};

const RECORDS: &str = "trawl:scan:channels:1200000000000000000";

async fn status(app: &TestApp) -> Value {
    let path = format!("/api/guilds/{GUILD}/channels/{CHANNEL}/scan-status");
    let reply = app.get(&path).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    reply.json
}

/// Writes the record as a drainer that died left it.
async fn leave_as(app: &TestApp, told: &str) {
    let text = app.redis.hget(RECORDS, &CHANNEL.to_string()).await.unwrap();
    let mut record: Value = serde_json::from_str(&text.unwrap()).unwrap();
    record["status"] = json!(told);
    let text = record.to_string();
    let fields = [(CHANNEL.to_string(), text)];
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    app.redis.hset(RECORDS, &fields).await.unwrap();
}

#[tokio::test]
async fn a_scan_is_followed_from_never_to_its_end() {
    let app = TestApp::with_guild(guild_with(30, 3)).await;
    let never = status(&app).await;
    assert_eq!(never["channelId"], CHANNEL.to_string());
    assert!(never["status"].is_null() && never["updatedAt"].is_null());
    assert_eq!(never["messageCount"], 0);
    app.scan(CHANNEL, json!({})).await;
    assert_eq!(status(&app).await["status"], "PENDING");
    app.drain().await;
    let done = status(&app).await;
    crate::assert_has(
        &done,
        &json!({ "status": "SUCCEEDED", "messageCount": 10, "totalMessagesScanned": 30 }),
    );
    assert_eq!(done["channelName"], "clips");
    assert!(done["forwardMessageId"].is_string() && done["errorMessage"].is_null());
    // Another scan of a channel that already has a record.
    app.scan(CHANNEL, json!({ "scanMode": "backfill" })).await;
    assert_eq!(status(&app).await["status"], "PENDING");
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_scan_cancelled_while_it_waits_does_not_stay_pending() {
    let app = TestApp::with_guild(guild_with(30, 3)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let id = app.scan(CHANNEL, json!({})).await;
    leave_as(&app, "PENDING").await;
    assert_eq!(app.delete(&format!("/api/jobs/{id}")).await.status, 202);
    // The record names the previous scan, which succeeded.
    assert_eq!(status(&app).await["status"], "SUCCEEDED");
}

#[tokio::test]
async fn a_scan_whose_drainer_died_at_its_end_has_the_status_of_its_job() {
    let app = TestApp::with_guild(guild_with(30, 3)).await;
    let id = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    leave_as(&app, "RUNNING").await;
    assert_eq!(status(&app).await["status"], "SUCCEEDED");
    assert_eq!(
        app.delete(&format!("/api/jobs/{id}?purge=true"))
            .await
            .status,
        202
    );
    assert_eq!(status(&app).await["status"], "CANCELLED");
}

#[tokio::test]
async fn a_failed_scan_says_why() {
    let app = TestApp::with_guild(guild_with(30, 3)).await;
    let unknown = CHANNEL + 5;
    app.scan(unknown, json!({})).await;
    app.drain().await;
    let path = format!("/api/guilds/{GUILD}/channels/{unknown}/scan-status");
    let failed = app.get(&path).await;
    assert_eq!(failed.text("/status"), "FAILED");
    assert!(
        failed
            .text("/errorMessage")
            .contains("the channel does not exist")
    );
    app.leaves_failed(1);
}

#[tokio::test]
async fn the_status_of_all_channels_takes_one_request() {
    let mut guild = guild_with(10, 2);
    for n in 1..30 {
        guild = guild.channel(ChannelSpec::text(CHANNEL + n, &format!("c{n}")));
    }
    let app = TestApp::with_guild(guild).await;
    for n in 0..30 {
        app.scan(CHANNEL + n, json!({})).await;
    }
    app.drain().await;
    app.scan(CHANNEL + 3, json!({ "scanMode": "backfill" }))
        .await;
    let path = format!("/api/guilds/{GUILD}/scan-statuses");
    app.get(&path).await;
    app.endpoint.reset_meter();
    let reply = app.get(&path).await;
    assert_eq!(app.cost(), (4 + CHECK, 1));
    let statuses = reply.json["statuses"].as_array().unwrap();
    let backfilled = (CHANNEL + 3).to_string();
    assert_eq!(statuses.len(), 30);
    for status in statuses {
        let waits = status["channelId"].as_str() == Some(backfilled.as_str());
        let expected = if waits { "PENDING" } else { "SUCCEEDED" };
        assert_eq!(status["status"], expected, "{status}");
    }
    assert_eq!(
        app.get("/api/guilds/1200000000000000777/scan-statuses")
            .await
            .json["statuses"],
        json!([])
    );
    assert_eq!(app.get("/api/guilds/x/scan-statuses").await.status, 400);
    app.leaves_unfinished(1);
}

/// The guild's channels by ID, with their status, in one round trip.
async fn listed(app: &TestApp) -> BTreeMap<u64, Value> {
    let path = format!("/api/guilds/{GUILD}/scan-statuses");
    app.get(&path).await;
    app.endpoint.reset_meter();
    let reply = app.get(&path).await;
    assert_eq!((reply.status, app.cost().1), (200, 1));
    let statuses = reply.json["statuses"].as_array().unwrap().iter();
    statuses
        .map(|status| {
            let id = status["channelId"].as_str().unwrap().parse().unwrap();
            (id, status["status"].clone())
        })
        .collect()
}

fn batch(channel: u64) -> Value {
    json!({ "type": "batch", "guildId": GUILD.to_string(), "channelId": channel.to_string() })
}

#[tokio::test]
async fn a_channel_whose_first_scan_waits_is_listed_with_the_others() {
    let app = TestApp::with_guild(guild_with(30, 3)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    app.scan(CHANNEL + 1, json!({})).await;
    let later = app.clock.now_ms() + 60_000;
    app.scan(CHANNEL + 2, json!({ "runAt": later })).await;
    let jobs: Vec<Value> = (3..8).map(|n| batch(CHANNEL + n)).collect();
    assert_eq!(app.post("/api/jobs", &json!(jobs)).await.status, 202);
    let mut expected: BTreeMap<u64, Value> =
        (1..8).map(|n| (CHANNEL + n, json!("PENDING"))).collect();
    expected.insert(CHANNEL, json!("SUCCEEDED"));
    assert_eq!(listed(&app).await, expected);
    // A second scan changes nothing.
    app.scan(CHANNEL + 1, json!({ "scanMode": "backfill" }))
        .await;
    assert_eq!(listed(&app).await, expected);
    let path = format!("/api/guilds/{GUILD}/channels/{}/scan-status", CHANNEL + 1);
    let one = app.get(&path).await;
    assert_eq!(one.text("/status"), "PENDING");
    crate::assert_has(
        &one.json,
        &json!({ "totalMessagesScanned": 0, "updatedAt": app.clock.now_ms() }),
    );
    app.leaves_unfinished(8);
}

#[tokio::test]
async fn a_first_scan_that_is_cancelled_or_fails_unread_is_not_pending() {
    let app = TestApp::with_guild(guild_with(30, 3)).await;
    let waiting = app.scan(CHANNEL, json!({})).await;
    app.delete(&format!("/api/jobs/{waiting}")).await;
    app.scan(CHANNEL + 1, json!({})).await;
    app.drain().await;
    assert_eq!(
        listed(&app).await,
        BTreeMap::from([
            (CHANNEL, json!("CANCELLED")),
            (CHANNEL + 1, json!("FAILED"))
        ])
    );
    let purge = format!("/api/jobs/{waiting}?purge=true");
    assert_eq!(app.delete(&purge).await.status, 202);
    assert_eq!(listed(&app).await[&CHANNEL], Value::Null);
    app.leaves_failed(1);
}

#[tokio::test]
async fn a_scan_that_was_not_taken_on_leaves_its_channel_never_scanned() {
    let app = TestApp::start(Options {
        guild: guild_with(30, 3),
        queue: QueueConfig {
            backlog: Some(1),
            ..Options::default().queue
        },
        ..Options::default()
    })
    .await;
    app.scan(CHANNEL, json!({})).await;
    let place = json!({ "guildId": GUILD.to_string(), "channelId": (CHANNEL + 1).to_string() });
    assert_eq!(app.post("/api/jobs/scan", &place).await.status, 503);
    assert_eq!(listed(&app).await[&(CHANNEL + 1)], Value::Null);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_scan_cancelled_while_it_is_snoozed_is_cancelled() {
    let app = TestApp::with_guild(guild_with(350, 10)).await;
    let limited = discord_local::Action::RateLimited {
        scope: discord_local::Scope::Shared,
        retry_after_secs: 1337.0,
    };
    app.discord
        .faults()
        .add(discord_local::Fault::once(limited).on("before="));
    let id = app.scan(CHANNEL, json!({})).await;
    assert_eq!(app.drain().await["snoozed"], 1);
    assert_eq!(listed(&app).await[&CHANNEL], "PENDING");
    assert_eq!(app.delete(&format!("/api/jobs/{id}")).await.status, 202);
    assert_eq!(listed(&app).await[&CHANNEL], "CANCELLED");
    assert_eq!(status(&app).await["status"], "CANCELLED");
    assert_eq!(app.stream(&id).await["currentState"]["status"], "CANCELLED");
    // It may be requested again.
    app.advance(Duration::from_secs(2000));
    app.scan(CHANNEL, json!({})).await;
    assert_eq!(listed(&app).await[&CHANNEL], "PENDING");
    app.drain().await;
    assert_eq!(listed(&app).await[&CHANNEL], "SUCCEEDED");
}

#[tokio::test]
async fn a_scan_snoozed_before_it_read_anything_is_cancelled_as_well() {
    let app = TestApp::with_guild(guild_with(30, 3)).await;
    let pause = Duration::from_secs(600);
    let (store, now) = (app.store(), app.clock.now_ms());
    store.pause_discord(now, pause).await.unwrap();
    let id = app.scan(CHANNEL, json!({})).await;
    assert_eq!(app.drain().await["snoozed"], 1);
    assert_eq!(listed(&app).await[&CHANNEL], "PENDING");
    app.delete(&format!("/api/jobs/{id}")).await;
    assert_eq!(listed(&app).await[&CHANNEL], "CANCELLED");
}

#[tokio::test]
async fn first_scans_that_come_another_way_are_listed_while_they_wait() {
    let recurring = json!([{
        "name": "hourly", "cron": "* * * * *",
        "job": { "type": "scan", "guildId": GUILD.to_string(), "channelId": (CHANNEL + 9).to_string() },
    }])
    .to_string();
    let environment =
        Environment::from(|name| (name == "RECURRING_JOBS").then(|| recurring.clone()));
    let app = TestApp::start(Options {
        guild: guild_with(30, 3),
        drain: DrainConfig::read(&environment).unwrap(),
        ..Options::default()
    })
    .await;
    app.queue().pause().await.unwrap();
    for n in 0..3 {
        let data = batch(CHANNEL + n).to_string();
        let fields = [("type", "batch"), ("data", data.as_str())];
        let added = app.redis.xadd("scan:jobs", "*", Trim::No, &fields);
        added.await.unwrap();
    }
    app.drain().await;
    app.advance(Duration::from_secs(60));
    app.drain().await;
    let expected = [0, 1, 2, 9].map(|n| (CHANNEL + n, json!("PENDING")));
    assert_eq!(listed(&app).await, BTreeMap::from(expected));
    app.leaves_unfinished(4);
}

#[tokio::test]
async fn current_scans_include_waiting_and_delayed_ones() {
    let app = TestApp::with_guild(guild_with(10, 2)).await;
    let done = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let waiting = app.scan(CHANNEL + 1, json!({})).await;
    let at = app.clock.now_ms() + 60_000;
    let later = app.scan(CHANNEL + 2, json!({ "runAt": at })).await;
    app.get("/api/scans/current").await;
    app.endpoint.reset_meter();
    let reply = app.get("/api/scans/current").await;
    assert_eq!((reply.status, app.cost().1), (200, 1));
    let scans = reply.json["scans"].as_array().unwrap();
    let ids: Vec<&Value> = scans.iter().map(|scan| &scan["scanId"]).collect();
    assert_eq!(ids, [&json!(waiting), &json!(later)]);
    assert!(!ids.contains(&&json!(done)));
    assert_eq!(scans[0]["status"], "PENDING");
    assert_eq!(scans[0]["channelId"], (CHANNEL + 1).to_string());
    app.leaves_unfinished(2);
}

#[tokio::test]
async fn health_needs_no_key_and_shows_nothing_of_the_database() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let health = async || {
        app.advance(Duration::from_secs(10));
        app.send_plain(app.http().get(app.path("/api/health/redis")))
            .await
    };
    app.endpoint.reset_meter();
    let reply = health().await;
    assert_eq!((reply.status, reply.text("/status")), (200, "healthy"));
    assert_eq!(app.cost(), (1, 1));
    for action in [
        FaultAction::Status(503),
        FaultAction::DropBefore,
        FaultAction::QuotaExceeded,
    ] {
        app.endpoint.faults().add(Fault {
            times: 99,
            ..Fault::new(action)
        });
        let reply = health().await;
        assert_eq!(
            (reply.status, reply.text("/status")),
            (503, "unhealthy"),
            "{action:?}"
        );
        assert_eq!(reply.text("/errorMessage"), "the database does not answer");
        app.endpoint.faults().clear();
    }
    assert_eq!(health().await.status, 200);
}
