//! Schedules and threads: those of a guild, of a channel and of a forum.

use discord_local::guild::{ChannelSpec, MessageSpec};
use discord_local::{Action, Fault, snowflake};
use integration::TestApp;
use serde_json::json;

use super::guild::{guild_scans, next_slot, schedule};
use super::{MINUTE, every, jobs, of_channel};
use crate::guild_scan::statuses;
use crate::scan::{CHANNEL, GUILD, guild_with};

const FORUM: u64 = CHANNEL + 1;
const POST: u64 = CHANNEL + 100;
const ARCHIVED_POST: u64 = CHANNEL + 101;
const THREAD: u64 = CHANNEL + 102;
const ARCHIVED_THREAD: u64 = CHANNEL + 103;
const ARCHIVED_MS: i64 = 1_780_000_000_000;

/// A guild with a channel and a forum, each with an active and an archived thread.
async fn site() -> TestApp {
    let mut guild = guild_with(10, 5).channel(ChannelSpec::forum(FORUM, "forum"));
    for (id, parent, name, is_archived) in [
        (POST, FORUM, "post", false),
        (ARCHIVED_POST, FORUM, "old post", true),
        (THREAD, CHANNEL, "thread", false),
        (ARCHIVED_THREAD, CHANNEL, "old thread", true),
    ] {
        let thread = ChannelSpec::thread(id, parent, name);
        guild.add_channel(match is_archived {
            true => thread.archived_at_ms(ARCHIVED_MS),
            false => thread,
        });
        guild.add_message(id, MessageSpec::video("clip.mp4"));
    }
    TestApp::with_guild(guild).await
}

/// The names of what the newest guild scan read.
async fn read(app: &TestApp) -> Vec<String> {
    let scans = guild_scans(app).await;
    assert_eq!(scans[0]["status"], "SUCCEEDED", "{}", scans[0]);
    statuses(&scans[0]).into_keys().collect()
}

/// Archives a thread that was begun a minute ago, with a clip in it.
fn add_archived(app: &TestApp, parent: u64, name: &str) -> u64 {
    let now = app.clock.now_ms();
    let id = snowflake::at_ms(now - 60_000);
    let thread = ChannelSpec::thread(id, parent, name).archived_at_ms(now - 30_000);
    app.discord.change_guild(|guild| guild.add_channel(thread));
    app.discord.add_message(id, MessageSpec::video("new.mp4"));
    id
}

#[tokio::test]
async fn the_schedule_of_a_guild_keeps_up_with_threads_and_forums() {
    let app = site().await;
    schedule(&app, &json!({ "everyMinutes": 60 })).await;
    next_slot(&app).await;
    let all = ["clips", "old post", "old thread", "post", "thread"];
    assert_eq!(read(&app).await, all);
    app.advance(60 * MINUTE);
    assert_eq!(app.drain().await["claimed"], 0, "there is no news");

    app.discord.add_message(POST, MessageSpec::video("2.mp4"));
    next_slot(&app).await;
    assert_eq!(read(&app).await, ["post"]);
    assert_eq!(app.channel_total(POST).await, 2);

    // A forum names its newest thread, also if that was archived between two slots.
    app.advance(5 * MINUTE);
    let id = add_archived(&app, FORUM, "short");
    next_slot(&app).await;
    assert_eq!(read(&app).await, ["short"]);
    assert_eq!(app.channel_total(id).await, 1);

    // The newest thread is one that nobody lists. That is found out once.
    let now = app.clock.now_ms();
    let private = ChannelSpec::private_thread(snowflake::at_ms(now), FORUM, "private");
    app.discord
        .change_guild(|guild| guild.add_channel(private.archived_at_ms(now)));
    next_slot(&app).await;
    assert_eq!(guild_scans(&app).await.len(), 4);
    next_slot(&app).await;
    assert_eq!(guild_scans(&app).await.len(), 4);
}

#[tokio::test]
async fn the_first_slot_of_a_schedule_finds_archived_threads_of_channels_that_were_read() {
    let app = site().await;
    for id in [CHANNEL, POST, ARCHIVED_POST, THREAD] {
        app.scan(id, json!({})).await;
    }
    app.drain().await;
    schedule(&app, &json!({ "everyMinutes": 60 })).await;
    next_slot(&app).await;
    assert_eq!(read(&app).await, ["old thread"]);
}

#[tokio::test]
async fn a_schedule_reads_the_threads_that_its_options_name() {
    for (include, expected) in [
        ("none", vec!["clips", "forum"]),
        ("active", vec!["clips", "post", "thread"]),
    ] {
        let app = site().await;
        let options = json!({ "includeThreads": include });
        schedule(&app, &json!({ "everyMinutes": 60, "options": options })).await;
        next_slot(&app).await;
        assert_eq!(read(&app).await, expected);
        app.advance(60 * MINUTE);
        assert_eq!(app.drain().await["claimed"], 0, "{include}");
    }
}

#[tokio::test]
async fn a_limited_schedule_reads_each_thread_once() {
    let app = site().await;
    let options = json!({ "maxMessages": 5 });
    schedule(&app, &json!({ "everyMinutes": 60, "options": options })).await;
    next_slot(&app).await;
    assert_eq!(read(&app).await.len(), 5);
    next_slot(&app).await;
    assert_eq!(guild_scans(&app).await.len(), 1, "there is no news");
    app.discord.add_message(THREAD, MessageSpec::video("2.mp4"));
    next_slot(&app).await;
    assert_eq!(read(&app).await, ["thread"]);
}

#[tokio::test]
async fn the_schedule_of_a_forum_scans_its_threads_and_nothing_else() {
    let app = site().await;
    every(&app, FORUM, 60).await;
    next_slot(&app).await;
    assert_eq!(read(&app).await, ["old post", "post"]);
    app.advance(60 * MINUTE);
    assert_eq!(app.drain().await["claimed"], 0, "there is no news");
    app.discord.add_message(THREAD, MessageSpec::video("2.mp4"));
    app.discord.add_message(POST, MessageSpec::video("2.mp4"));
    next_slot(&app).await;
    assert_eq!(read(&app).await, ["post"]);
}

#[tokio::test]
async fn the_schedule_of_a_channel_with_threads_finds_what_is_new_in_a_thread_alone() {
    let app = site().await;
    let options = json!({ "includeThreads": "all" });
    let body = json!({ "everyMinutes": 60, "options": options });
    assert_eq!(app.put(&of_channel(CHANNEL), &body).await.status, 200);
    next_slot(&app).await;
    assert_eq!(read(&app).await, ["clips", "old thread", "thread"]);
    app.discord.add_message(THREAD, MessageSpec::video("2.mp4"));
    app.discord.add_message(POST, MessageSpec::video("2.mp4"));
    next_slot(&app).await;
    assert_eq!(read(&app).await, ["thread"]);
}

#[tokio::test]
async fn a_forum_whose_slot_began_while_discord_was_away_is_scanned_later() {
    let app = site().await;
    every(&app, FORUM, 60).await;
    app.discord
        .faults()
        .add(Fault::once(Action::Status(503)).on("/channels/"));
    app.advance(60 * MINUTE);
    app.drain().await;
    for _ in 0..5 {
        app.advance(5 * MINUTE);
        app.drain().await;
    }
    assert_eq!(app.channel_total(POST).await, 1);
    assert_eq!(app.channel_total(ARCHIVED_POST).await, 1);
    let all = jobs(&app).await;
    assert!(all.iter().all(|job| job["state"] == "completed"), "{all:?}");
}

#[tokio::test]
async fn a_scan_of_a_forum_that_includes_threads_scans_these() {
    let app = site().await;
    let with_threads = json!({ "options": { "includeThreads": "active" } });
    let scan = app.scan(FORUM, with_threads).await;
    for _ in 0..3 {
        app.drain().await;
        app.advance(MINUTE);
    }
    assert_eq!(app.job(&scan).await["returnvalue"]["messagesScanned"], 0);
    assert_eq!(app.job(&scan).await["state"], "completed");
    assert_eq!(app.channel_total(POST).await, 1);
    assert_eq!(app.channel_total(ARCHIVED_POST).await, 0);
    let status = format!("/api/guilds/{GUILD}/channels/{FORUM}/scan-status");
    assert_eq!(app.get(&status).await.json["status"], "SUCCEEDED");

    let without = app.scan(FORUM, json!({})).await;
    app.drain().await;
    assert_eq!(app.job(&without).await["state"], "failed");
    let message = app.get(&status).await.json["errorMessage"].clone();
    let expected = "a forum has no messages of its own: scan its threads instead";
    assert_eq!(message, expected);
    app.leaves_failed(1);
}
