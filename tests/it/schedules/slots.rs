//! One slot, one scan.

use std::time::Duration;

use discord_local::guild::{Access, ChannelSpec};
use integration::TestApp;
use serde_json::json;

use super::{MINUTE, every, jobs, of_channel, scanned, scheduled};
use crate::scan::{CHANNEL, GUILD, guild_with, message};

#[tokio::test]
async fn each_slot_scans_what_is_new() {
    let app = scheduled().await;
    assert_eq!(app.drain().await["claimed"], 0, "no slot has begun");
    app.advance(15 * MINUTE);
    assert_eq!(app.drain().await["completed"], 1);
    assert_eq!(scanned(&app, CHANNEL).await, 30);
    let first = &jobs(&app).await[0];
    assert_eq!(
        (&first["type"], &first["data"]["scanMode"]),
        (&json!("scan"), &json!("forward"))
    );
    for i in 30..33 {
        app.discord.add_message(CHANNEL, message(i, true));
    }
    assert_eq!(app.drain().await["claimed"], 0, "within the slot");
    app.advance(15 * MINUTE);
    assert_eq!(app.drain().await["completed"], 1);
    assert_eq!(scanned(&app, CHANNEL).await, 33);
    let clips = app
        .get(&format!("/api/guilds/{GUILD}/clips?limit=100"))
        .await;
    assert_eq!(clips.json["clips"].as_array().unwrap().len(), 9);
}

#[tokio::test]
async fn a_slot_without_news_stores_no_job() {
    let app = scheduled().await;
    app.advance(15 * MINUTE);
    app.drain().await;
    for _ in 0..3 {
        app.advance(15 * MINUTE);
        assert_eq!(app.drain().await["claimed"], 0);
    }
    assert_eq!(jobs(&app).await.len(), 1);
}

#[tokio::test]
async fn a_message_that_is_still_young_is_read_once_more() {
    let app = scheduled().await;
    app.advance(15 * MINUTE);
    app.drain().await;
    app.advance(15 * MINUTE);
    let now = app.clock.now_ms();
    let young = message(0, false).at_ms(now - 30_000);
    let id = app.discord.add_message(CHANNEL, young).unwrap();
    assert_eq!(app.drain().await["completed"], 1);
    // The link in it gets its preview after it was read.
    let video = discord_local::guild::AttachmentSpec::video("late.mp4");
    let with_video = message(0, false)
        .id(id)
        .attachment(video)
        .at_ms(now - 30_000);
    app.discord.delete_message(CHANNEL, id);
    app.discord.add_message(CHANNEL, with_video);
    let before = app.clip_ids(CHANNEL).await.len();
    app.advance(15 * MINUTE);
    assert_eq!(app.drain().await["completed"], 1);
    assert_eq!(app.clip_ids(CHANNEL).await.len(), before + 1);
    app.advance(15 * MINUTE);
    assert_eq!(app.drain().await["claimed"], 0, "settled by now");
}

#[tokio::test]
async fn many_drainers_store_one_job_for_a_slot() {
    let app = scheduled().await;
    app.advance(15 * MINUTE);
    let drains = futures_util::future::join_all((0..4).map(|_| app.drain())).await;
    let claimed: i64 = drains
        .iter()
        .map(|one| one["claimed"].as_i64().unwrap())
        .sum();
    assert_eq!(claimed, 1);
    assert_eq!(jobs(&app).await.len(), 1);
}

#[tokio::test]
async fn slots_missed_while_nobody_drained_get_one_scan() {
    let app = scheduled().await;
    app.advance(Duration::from_secs(5 * 3600));
    assert_eq!(app.drain().await["completed"], 1);
    assert_eq!(app.drain().await["claimed"], 0);
    let next = app.get(&of_channel(CHANNEL)).await.json["nextRunAt"].clone();
    assert_eq!(next, app.clock.now_ms() + 15 * 60_000);
}

#[tokio::test]
async fn nothing_is_stored_while_the_last_scan_is_unfinished() {
    let app = scheduled().await;
    let waiting = app
        .scan(CHANNEL, json!({ "runAt": app.clock.now_ms() + 3_600_000 }))
        .await;
    app.advance(15 * MINUTE);
    assert_eq!(app.drain().await["claimed"], 0);
    let all = jobs(&app).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["id"], waiting.as_str());
    assert_eq!(all[0]["state"], "delayed", "it is not hastened");
    app.advance(45 * MINUTE);
    assert_eq!(app.drain().await["completed"], 1);
}

#[tokio::test]
async fn a_removed_schedule_scans_nothing() {
    let app = scheduled().await;
    app.delete(&of_channel(CHANNEL)).await;
    app.advance(60 * MINUTE);
    assert_eq!(app.drain().await["claimed"], 0);
    assert!(jobs(&app).await.is_empty());
}

#[tokio::test]
async fn a_channel_that_the_bot_may_not_see_any_more_fails_once() {
    let app = scheduled().await;
    let hidden = ChannelSpec::text(CHANNEL, "clips").access(Access::Hidden);
    app.discord.change_guild(|guild| guild.add_channel(hidden));
    app.advance(15 * MINUTE);
    assert_eq!(app.drain().await["failed"], 1);
    for _ in 0..3 {
        app.advance(15 * MINUTE);
        assert_eq!(app.drain().await["claimed"], 0);
    }
    let status = app
        .get(&format!(
            "/api/guilds/{GUILD}/channels/{CHANNEL}/scan-status"
        ))
        .await;
    assert_eq!(status.json["status"], "FAILED");
    // Once the bot may see it again, it goes on by itself.
    app.discord
        .change_guild(|guild| guild.add_channel(ChannelSpec::text(CHANNEL, "clips")));
    app.discord.add_message(CHANNEL, message(0, true));
    app.advance(15 * MINUTE);
    assert_eq!(app.drain().await["completed"], 1);
    app.leaves_failed(1);
}

#[tokio::test]
async fn an_excluded_channel_is_left_alone() {
    let app = scheduled().await;
    let settings = format!("/api/guilds/{GUILD}/settings");
    let exclude = json!({ "excludedChannelIds": [CHANNEL.to_string()] });
    app.put(&settings, &exclude).await;
    app.advance(15 * MINUTE);
    assert_eq!(app.drain().await["claimed"], 0);
    assert!(jobs(&app).await.is_empty());
}

#[tokio::test]
async fn more_slots_than_a_look_takes_are_all_taken() {
    let mut guild = guild_with(1, 1);
    let channels: Vec<u64> = (1..=120).map(|n| CHANNEL + n).collect();
    for id in &channels {
        guild.add_text_channel(*id, "more");
        guild.add_message(*id, message(0, true));
    }
    let app = TestApp::with_guild(guild).await;
    for part in channels.chunks(50) {
        for id in part {
            every(&app, *id, 15).await;
        }
        // The caller's limit.
        app.advance(MINUTE);
    }
    app.advance(15 * MINUTE);
    let mut completed = 0;
    for _ in 0..3 {
        completed += app.drain().await["completed"].as_u64().unwrap();
    }
    assert_eq!(completed, 120);
    assert_eq!(app.drain().await["claimed"], 0);
}
