//! Scans obey the settings of their guild.

use std::time::Duration;

use discord_local::Guild;
use discord_local::guild::{AttachmentSpec, ChannelSpec, MessageSpec};
use integration::TestApp;
use serde_json::{Value, json};
use shared::redis::commands::Streams as _;
use shared::redis::commands::streams::Trim;
use shared::scan::ScanStatus;

use super::{CHANNEL, FIRST_MS, GUILD, guild_with};

const OTHER: u64 = CHANNEL + 1;
const THREAD: u64 = CHANNEL + 2;
const FORUM: u64 = CHANNEL + 3;
const FORUM_THREAD: u64 = CHANNEL + 4;

/// Ten videos of 1 to 10 seconds.
fn lengths() -> Guild {
    let mut guild = Guild::empty(GUILD).channel(ChannelSpec::text(CHANNEL, "clips"));
    guild.fill(CHANNEL, 10, |i| {
        let length = Duration::from_secs(i as u64 + 1);
        MessageSpec::text(&format!("message {i}"))
            .at_ms(FIRST_MS + i as i64 * 60_000)
            .attachment(AttachmentSpec::video(&format!("{i}.mp4")).duration(length))
    });
    guild
}

async fn set(app: &TestApp, settings: Value) {
    let path = format!("/api/guilds/{GUILD}/settings");
    let reply = app.put(&path, &settings).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
}

async fn n_clips(app: &TestApp) -> usize {
    app.clip_ids(CHANNEL).await.len()
}

#[tokio::test]
async fn clips_shorter_than_the_guild_wants_are_left_out_unless_the_job_says_otherwise() {
    for (settings, options, n) in [
        (json!({}), json!({}), 10),
        (json!({ "minVideoSeconds": 7 }), json!({}), 4),
        (
            json!({ "minVideoSeconds": 7 }),
            json!({ "minVideoSeconds": 9 }),
            2,
        ),
        (
            json!({ "minVideoSeconds": 7 }),
            json!({ "minVideoSeconds": 0 }),
            10,
        ),
    ] {
        let app = TestApp::with_guild(lengths()).await;
        set(&app, settings.clone()).await;
        app.scan(CHANNEL, json!({ "options": options })).await;
        app.drain().await;
        assert_eq!(n_clips(&app).await, n, "{settings} {options}");
    }
}

#[tokio::test]
async fn single_messages_are_read_under_the_same_settings() {
    let app = TestApp::with_guild(lengths()).await;
    set(&app, json!({ "minVideoSeconds": 7 })).await;
    let ids = app.discord.guild().message_ids(CHANNEL);
    let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
    let job = json!({ "type": "message", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "messageIds": ids });
    app.post("/api/jobs", &job).await;
    app.drain().await;
    assert_eq!(n_clips(&app).await, 4);

    set(&app, json!({ "excludedChannelIds": [CHANNEL.to_string()] })).await;
    let reply = app.post("/api/jobs", &job).await;
    app.drain().await;
    let job = app.job(reply.text("/jobs/0/jobId")).await;
    assert_eq!(job["state"], "cancelled", "{job}");
    assert_eq!(n_clips(&app).await, 4);
}

#[tokio::test]
async fn settings_changed_while_a_scan_waits_apply_when_it_runs() {
    let app = TestApp::with_guild(lengths()).await;
    app.scan(CHANNEL, json!({})).await;
    set(&app, json!({ "minVideoSeconds": 7 })).await;
    app.drain().await;
    assert_eq!(n_clips(&app).await, 4);
}

#[tokio::test]
async fn a_scan_of_an_excluded_channel_is_refused_and_not_stored() {
    let app = TestApp::with_guild(lengths()).await;
    set(&app, json!({ "excludedChannelIds": [CHANNEL.to_string()] })).await;
    let place = json!({ "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() });
    let refused = app.post("/api/jobs/scan", &place).await;
    assert_eq!(
        (refused.status, refused.text("/detail")),
        (409, "channelId: the guild's settings exclude this channel")
    );
    let batch = |channel: u64| json!({ "type": "batch", "guildId": GUILD.to_string(), "channelId": channel.to_string() });
    let listed = app
        .post("/api/jobs", &json!([batch(OTHER), batch(CHANNEL)]))
        .await;
    assert_eq!(
        (listed.status, listed.text("/detail")),
        (
            409,
            "[1].channelId: the guild's settings exclude this channel"
        )
    );
    assert_eq!(
        app.get("/api/jobs?state=waiting").await.json["jobs"],
        json!([])
    );
    set(&app, json!({})).await;
    assert_eq!(app.post("/api/jobs/scan", &place).await.status, 202);
    app.leaves_unfinished(1);
}

/// A scan that was accepted and then turned out to be excluded.
async fn assert_cancelled(app: &TestApp, id: &str, channel: u64, reason: &str) {
    let job = app.job(id).await;
    assert_eq!(
        (&job["state"], &job["errors"][0]["errorMessage"]),
        (&json!("cancelled"), &json!(reason)),
        "{job}"
    );
    let events = app.stream(id).await;
    let last = events["events"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["data"]["status"], &last["data"]["errorMessage"]),
        (&json!("CANCELLED"), &json!(reason))
    );
    let path = format!("/api/guilds/{GUILD}/channels/{channel}/scan-status");
    let status = app.get(&path).await;
    assert_eq!(
        (status.text("/status"), status.text("/errorMessage")),
        ("CANCELLED", reason)
    );
    assert_eq!(app.channel_total(channel).await, 0);
}

#[tokio::test]
async fn a_channel_excluded_while_its_scan_waits_is_not_read() {
    let app = TestApp::with_guild(lengths()).await;
    let id = app.scan(CHANNEL, json!({})).await;
    set(&app, json!({ "excludedChannelIds": [CHANNEL.to_string()] })).await;
    let asked = app.discord.requests().len();
    let report = app.drain().await;
    assert_eq!(
        (&report["cancelled"], &report["failed"]),
        (&json!(1), &json!(0))
    );
    let reason = "the guild's settings exclude this channel";
    assert_cancelled(&app, &id, CHANNEL, reason).await;
    assert_eq!(app.discord.requests().len(), asked);

    // Once it is allowed again, it may run again.
    set(&app, json!({})).await;
    let retry = app.post(&format!("/api/jobs/{id}/retry"), &json!({})).await;
    assert_eq!(retry.status, 202);
    app.drain().await;
    assert_eq!(n_clips(&app).await, 10);
    assert_eq!(
        app.channel(CHANNEL).await.status,
        Some(ScanStatus::Succeeded)
    );
}

#[tokio::test]
async fn a_job_of_another_program_for_an_excluded_channel_is_no_failure() {
    let app = TestApp::with_guild(lengths()).await;
    set(&app, json!({ "excludedChannelIds": [CHANNEL.to_string()] })).await;
    let data = json!({ "guild_id": GUILD.to_string(), "channel_id": CHANNEL.to_string() });
    let fields = [("type", "batch"), ("data", &data.to_string())];
    app.redis
        .xadd("scan:jobs", "*", Trim::No, &fields)
        .await
        .unwrap();
    let report = app.drain().await;
    assert_eq!(
        (&report["cancelled"], &report["failed"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(n_clips(&app).await, 0);
}

#[tokio::test]
async fn threads_are_scanned_as_the_settings_say() {
    let guild = guild_with(10, 1)
        .channel(ChannelSpec::thread(THREAD, CHANNEL, "under clips"))
        .channel(ChannelSpec::forum(FORUM, "guides"))
        .channel(ChannelSpec::thread(FORUM_THREAD, FORUM, "a guide"));
    let app = TestApp::with_guild(guild).await;
    let scanned = async |channel: u64| {
        let id = app.scan(channel, json!({})).await;
        let report = app.drain().await;
        (id, report["completed"] == 1)
    };
    for channel in [CHANNEL, THREAD, FORUM_THREAD] {
        assert!(scanned(channel).await.1, "{channel}");
    }

    set(&app, json!({ "includeThreads": false })).await;
    let reason = "the guild's settings exclude threads";
    for channel in [THREAD, FORUM_THREAD] {
        let (id, is_scanned) = scanned(channel).await;
        assert!(!is_scanned);
        assert_cancelled(&app, &id, channel, reason).await;
    }
    assert!(scanned(CHANNEL).await.1);

    set(&app, json!({ "excludedChannelIds": [FORUM.to_string()] })).await;
    let reason = "the guild's settings exclude the parent channel of this thread";
    let (id, _) = scanned(FORUM_THREAD).await;
    assert_cancelled(&app, &id, FORUM_THREAD, reason).await;
    assert!(scanned(THREAD).await.1);
}

#[tokio::test]
async fn a_scan_that_names_no_priority_has_its_guilds() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    let priority = async |id: &str| app.job(id).await["priority"].clone();
    let before = app.scan(CHANNEL, json!({})).await;
    assert_eq!(priority(&before).await, 5);
    set(&app, json!({ "priority": 2 })).await;
    let after = app.scan(OTHER, json!({})).await;
    assert_eq!(priority(&after).await, 2);
    let own = app.scan(THREAD, json!({ "priority": 8 })).await;
    assert_eq!(priority(&own).await, 8);
    let batch = |more: Value| {
        let mut job = json!({ "type": "batch", "guildId": GUILD.to_string(), "channelId": FORUM.to_string(), "direction": "forward" });
        job.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        job
    };
    let jobs = json!([
        batch(json!({})),
        batch(json!({ "direction": "backward", "priority": 9 }))
    ]);
    let reply = app.post("/api/jobs", &jobs).await;
    assert_eq!(priority(reply.text("/jobs/0/jobId")).await, 2);
    assert_eq!(priority(reply.text("/jobs/1/jobId")).await, 9);
    app.leaves_unfinished(5);
}

#[tokio::test]
async fn settings_cost_a_scan_nothing() {
    let billed = async |settings: Option<Value>| {
        let app = TestApp::with_guild(guild_with(300, 10)).await;
        if let Some(settings) = settings {
            set(&app, settings).await;
        }
        // The scripts are cached.
        app.scan(OTHER, json!({})).await;
        app.drain().await;
        app.scan(CHANNEL, json!({})).await;
        app.endpoint.reset_meter();
        app.drain().await;
        assert_eq!(n_clips(&app).await, 30);
        app.leaves_failed(1);
        app.endpoint.meter().total
    };
    let with = json!({ "minVideoSeconds": 0.5, "excludedChannelIds": [FORUM.to_string()] });
    assert_eq!(billed(None).await, billed(Some(with)).await);
}

#[tokio::test]
async fn a_scan_is_taken_on_in_two_round_trips_whatever_is_looked_at_before() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    app.scan(OTHER, json!({})).await;
    app.endpoint.reset_meter();
    app.scan(CHANNEL, json!({})).await;
    let requests: u64 = app.endpoint.meter().requests.values().sum();
    assert_eq!(requests, 2);
    app.leaves_unfinished(2);
}
