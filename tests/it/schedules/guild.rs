//! The schedule of a guild.

use discord_local::guild::{Access, ChannelSpec};
use integration::TestApp;
use serde_json::json;

use super::{MINUTE, jobs, scanned};
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
    let path = format!("/api/guilds/{GUILD}/schedule");
    let reply = app.put(&path, &json!({ "everyMinutes": 60 })).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    app
}

#[tokio::test]
async fn a_guild_keeps_up_with_itself() {
    let app = hourly().await;
    app.advance(60 * MINUTE);
    app.drain().await;
    assert_eq!(scanned(&app, CHANNEL).await, 30);
    assert_eq!(scanned(&app, SECOND).await, 12);
    let before = jobs(&app).await.len();
    app.discord.add_message(SECOND, message(20, true));
    let long_ago = app.discord.guild().message_ids(SECOND);
    assert_eq!(long_ago.len(), 13);
    app.advance(60 * MINUTE);
    app.drain().await;
    assert_eq!(scanned(&app, SECOND).await, 13);
    assert_eq!(scanned(&app, CHANNEL).await, 30);
    let after = jobs(&app).await;
    let first = CHANNEL.to_string();
    let channels = after.iter().filter(|job| job["type"] == "scan");
    let n_of_first = channels
        .filter(|job| job["data"]["channelId"] == first)
        .count();
    assert_eq!(n_of_first, 1, "nothing moved there: {after:?}");
    assert!(after.len() > before);
    app.leaves_any_jobs();
}

#[tokio::test]
async fn a_guild_without_news_stores_no_job() {
    let app = hourly().await;
    app.advance(60 * MINUTE);
    app.drain().await;
    let before = jobs(&app).await.len();
    for _ in 0..3 {
        app.advance(60 * MINUTE);
        assert_eq!(app.drain().await["claimed"], 0);
    }
    assert_eq!(jobs(&app).await.len(), before);
    app.leaves_any_jobs();
}

#[tokio::test]
async fn an_excluded_channel_of_the_guild_is_left_alone() {
    let app = hourly().await;
    let exclude = json!({ "excludedChannelIds": [SECOND.to_string()] });
    let settings = format!("/api/guilds/{GUILD}/settings");
    assert_eq!(app.put(&settings, &exclude).await.status, 200);
    app.advance(60 * MINUTE);
    app.drain().await;
    assert_eq!(scanned(&app, CHANNEL).await, 30);
    assert_eq!(scanned(&app, SECOND).await, 0);
    app.leaves_any_jobs();
}
