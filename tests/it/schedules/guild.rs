//! The schedule of a guild.

use std::time::Duration;

use discord_local::guild::{Access, ChannelSpec};
use integration::TestApp;
use serde_json::{Value, json};

use super::{MINUTE, jobs, scanned};
use crate::guild_scan::{show, statuses};
use crate::scan::{CHANNEL, GUILD, guild_with, message};

const SECOND: u64 = CHANNEL + 1;
const HIDDEN: u64 = CHANNEL + 2;

/// A guild with two channels and one that the bot cannot read, scanned every hour.
pub async fn hourly() -> TestApp {
    let mut guild = guild_with(30, 5)
        .channel(ChannelSpec::text(SECOND, "second"))
        .channel(ChannelSpec::text(HIDDEN, "hidden").access(Access::Hidden));
    guild.fill(SECOND, 12, |i| message(i, i == 3));
    guild.fill(HIDDEN, 5, |i| message(i, true));
    let app = TestApp::with_guild(guild).await;
    schedule(&app, &json!({ "everyMinutes": 60 })).await;
    app
}

pub async fn schedule(app: &TestApp, body: &Value) {
    let path = format!("/api/guilds/{GUILD}/schedule");
    let reply = app.put(&path, body).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
}

/// Waits for the next slot and until its scans have ended.
pub async fn next_slot(app: &TestApp) {
    app.advance(60 * MINUTE);
    for _ in 0..3 {
        app.drain().await;
        app.advance(Duration::from_secs(5));
    }
}

/// The guild scans that there were, as their route shows them, the newest first.
pub async fn guild_scans(app: &TestApp) -> Vec<Value> {
    let mut shown = Vec::new();
    for job in jobs(app).await.iter().filter(|job| job["type"] == "guild") {
        assert_eq!(job["data"]["scheduled"], true, "{job}");
        shown.push(show(app, job["id"].as_str().unwrap()).await);
    }
    shown
}

#[tokio::test]
async fn a_guild_keeps_up_with_itself() {
    let app = hourly().await;
    next_slot(&app).await;
    assert_eq!(scanned(&app, CHANNEL).await, 30);
    assert_eq!(scanned(&app, SECOND).await, 12);
    let first = guild_scans(&app).await;
    assert_eq!((first.len(), &first[0]["status"]), (1, &json!("SUCCEEDED")));
    let expected = json!({
        "clips": "SUCCEEDED", "second": "SUCCEEDED", "hidden": "channel_forbidden",
    });
    assert_eq!(json!(statuses(&first[0])), expected);

    app.discord.add_message(SECOND, message(20, true));
    next_slot(&app).await;

    assert_eq!(scanned(&app, SECOND).await, 13);
    let scans = guild_scans(&app).await;
    assert_eq!(scans.len(), 2);
    let counts = json!({ "total": 1, "succeeded": 1, "unchanged": 1, "leftOut": 1 });
    crate::assert_has(&scans[0]["counts"], &counts);
    assert_eq!(scans[0]["clipsFound"], 1);
    let all = jobs(&app).await;
    let channel = CHANNEL.to_string();
    let of_first = all
        .iter()
        .filter(|job| job["data"]["channelId"].as_str() == Some(&channel));
    assert_eq!(of_first.count(), 1, "nothing moved there: {all:?}");
}

#[tokio::test]
async fn a_guild_without_news_stores_no_job() {
    let app = hourly().await;
    next_slot(&app).await;
    let before = jobs(&app).await.len();
    for _ in 0..3 {
        app.advance(60 * MINUTE);
        assert_eq!(app.drain().await["claimed"], 0);
    }
    assert_eq!(jobs(&app).await.len(), before);
}

#[tokio::test]
async fn an_excluded_channel_of_the_guild_is_left_alone() {
    let app = hourly().await;
    let exclude = json!({ "excludedChannelIds": [SECOND.to_string()] });
    let settings = format!("/api/guilds/{GUILD}/settings");
    assert_eq!(app.put(&settings, &exclude).await.status, 200);
    next_slot(&app).await;
    assert_eq!(scanned(&app, CHANNEL).await, 30);
    assert_eq!(scanned(&app, SECOND).await, 0);
}

#[tokio::test]
async fn a_slot_stores_nothing_while_the_scan_of_the_last_one_is_unfinished() {
    let app = hourly().await;
    let slow = discord_local::Fault::once(discord_local::Action::RateLimited {
        scope: discord_local::Scope::User,
        retry_after_secs: 3.0 * 3600.0,
    });
    let path = format!("/channels/{SECOND}/messages");
    app.discord.faults().add(slow.on(&path));
    next_slot(&app).await;
    next_slot(&app).await;
    assert_eq!(guild_scans(&app).await.len(), 1);
    for _ in 0..3 {
        next_slot(&app).await;
    }
    assert_eq!(scanned(&app, SECOND).await, 12);
    app.advance(MINUTE);
    app.drain().await;
    let scans = guild_scans(&app).await;
    assert_eq!((scans.len(), &scans[0]["status"]), (1, &json!("SUCCEEDED")));
}

#[tokio::test]
async fn many_drainers_store_one_guild_scan_for_a_slot() {
    let app = hourly().await;
    app.advance(60 * MINUTE);
    futures_util::future::join_all((0..4).map(|_| app.drain())).await;
    assert_eq!(guild_scans(&app).await.len(), 1);
    app.leaves_any_jobs();
}
