//! `GET /api/guilds/{guildId}/clips`, and the removal of clips.

mod costs;
mod export;
mod finding;
mod forwards;
mod link;
mod removal;

use std::collections::BTreeSet;

use discord_local::guild::{AttachmentSpec, ChannelSpec, MessageSpec};
use integration::TestApp;
use serde_json::{Value, json};

use crate::limits::CHECK;
use crate::scan::{CHANNEL, FIRST_MS, GUILD, guild_with};

const OTHER: u64 = CHANNEL + 1;

/// Two channels with alternating messages, one per minute, each with two videos.
async fn system(n_messages: usize) -> TestApp {
    let mut guild = guild_with(0, 1).channel(ChannelSpec::text(OTHER, "more"));
    for (channel, shift) in [(CHANNEL, 0), (OTHER, 30_000)] {
        guild.fill(channel, n_messages, |i| {
            let at = FIRST_MS + i as i64 * 60_000 + shift;
            MessageSpec::text("look")
                .at_ms(at)
                .attachment(AttachmentSpec::video(&format!("a_{i}.mp4")))
                .attachment(AttachmentSpec::video(&format!("b_{i}.mp4")))
        });
    }
    let app = TestApp::with_guild(guild).await;
    for channel in [CHANNEL, OTHER] {
        app.scan(channel, json!({})).await;
    }
    app.drain().await;
    app
}

/// Reads all pages of a listing.
pub async fn all(app: &TestApp, guild: u64, query: &str) -> Vec<Value> {
    let (mut clips, mut cursor) = (Vec::new(), String::new());
    for _ in 0..1000 {
        let path = format!("/api/guilds/{guild}/clips?{query}&cursor={cursor}");
        let page = app.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.json);
        clips.extend(page.json["clips"].as_array().unwrap().iter().cloned());
        match page.json["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return clips,
        }
    }
    panic!("the listing does not end");
}

fn ids(clips: &[Value]) -> Vec<&str> {
    clips
        .iter()
        .map(|clip| clip["id"].as_str().unwrap())
        .collect()
}

fn times(clips: &[Value]) -> Vec<i64> {
    clips
        .iter()
        .map(|clip| clip["postedAt"].as_i64().unwrap())
        .collect()
}

#[tokio::test]
async fn clips_come_newest_first_page_by_page_each_once() {
    let app = system(25).await;
    for limit in [1, 7, 100] {
        let clips = all(&app, GUILD, &format!("limit={limit}")).await;
        let distinct: BTreeSet<&str> = ids(&clips).into_iter().collect();
        assert_eq!((clips.len(), distinct.len()), (100, 100), "{limit}");
        assert!(times(&clips).is_sorted_by(|a, b| a >= b));
    }
}

#[tokio::test]
async fn a_channel_filter_returns_only_its_clips_in_order() {
    let app = system(25).await;
    let other = OTHER.to_string();
    for limit in [1, 7, 100] {
        let clips = all(&app, GUILD, &format!("channelId={OTHER}&limit={limit}")).await;
        assert_eq!(clips.len(), 50, "{limit}");
        assert!(
            clips
                .iter()
                .all(|clip| clip["channelId"].as_str() == Some(other.as_str()))
        );
        assert!(times(&clips).is_sorted_by(|a, b| a >= b));
        let distinct: BTreeSet<&str> = ids(&clips).into_iter().collect();
        assert_eq!(distinct.len(), 50);
    }
}

#[tokio::test]
async fn after_and_before_leave_out_their_own_millisecond() {
    let app = system(25).await;
    let (after, before) = (FIRST_MS + 5 * 60_000, FIRST_MS + 10 * 60_000);
    for channel in ["", &format!("channelId={CHANNEL}&")] {
        let query = format!("{channel}after={after}&before={before}&limit=3");
        let clips = all(&app, GUILD, &query).await;
        let expected = if channel.is_empty() { 18 } else { 8 };
        assert_eq!(clips.len(), expected, "{channel}");
        let within = |at: &i64| (after + 1..before).contains(at);
        assert!(times(&clips).iter().all(within));
    }
}

#[tokio::test]
async fn short_clips_are_left_out_and_those_of_unknown_length_kept() {
    let lengths = [Some(2.0), Some(30.0), None, Some(9.5), Some(90.0)];
    let mut guild = guild_with(0, 1);
    guild.fill(CHANNEL, 50, |i| {
        let video = AttachmentSpec::video(&format!("{i}.mp4"));
        let video = video.declared_secs(lengths[i % 5]);
        MessageSpec::text("look")
            .at_ms(FIRST_MS + i as i64 * 1000)
            .attachment(video)
    });
    let app = TestApp::with_guild(guild).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    for channel in ["", &format!("channelId={CHANNEL}&")] {
        let clips = all(&app, GUILD, &format!("{channel}minSeconds=9.5&limit=4")).await;
        assert_eq!(clips.len(), 40, "{channel}");
        let long = |clip: &Value| clip["durationSeconds"].as_f64().is_none_or(|s| s >= 9.5);
        assert!(clips.iter().all(long));
        for (query, n) in [
            ("minSeconds=9.5&unknownLength=omit", 30),
            ("unknownLength=omit", 40),
            ("unknownLength=keep", 50),
        ] {
            let clips = all(&app, GUILD, &format!("{channel}{query}&limit=4")).await;
            assert_eq!(clips.len(), n, "{query}");
        }
    }
}

#[tokio::test]
async fn clips_an_earlier_version_stored_are_listed_and_belong_to_their_message() {
    use shared::redis::commands::{Hashes as _, Keys as _};
    let app = system(3).await;
    let (now, key) = (
        all(&app, GUILD, "limit=100").await,
        format!("trawl:clip:records:{CHANNEL}"),
    );
    let stored = app.redis.hgetall(&key).await.unwrap();
    app.redis.del(&[&key]).await.unwrap();
    for (field, text) in &stored {
        let (_, id) = field.split_once(':').unwrap();
        app.redis.hset(&key, &[(id, text)]).await.unwrap();
    }
    assert_eq!(all(&app, GUILD, "limit=100").await, now);
    // When they are read again, their current form is stored.
    let batch = json!({ "type": "batch", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "beforeMessageId": "1999999999999999999", "limit": 100 });
    app.post("/api/jobs", &batch).await;
    app.drain().await;
    assert_eq!(all(&app, GUILD, "limit=100").await, now);
    assert_eq!(app.channel(CHANNEL).await.message_count, 3);
}

#[tokio::test]
async fn a_page_takes_two_round_trips_and_an_empty_guild_one() {
    let app = system(25).await;
    app.get("/api/jobs?state=waiting").await;
    for (path, billed, trips) in [
        (format!("/api/guilds/{GUILD}/clips?limit=100"), 2, 2),
        (
            format!("/api/guilds/{GUILD}/clips?channelId={CHANNEL}"),
            2,
            2,
        ),
        ("/api/guilds/1200000000000000777/clips".to_owned(), 1, 1),
    ] {
        app.endpoint.reset_meter();
        assert_eq!(app.get(&path).await.status, 200);
        assert_eq!(app.cost(), (billed + CHECK, trips), "{path}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_named_before_redis_is_asked() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    app.endpoint.reset_meter();
    for (query, detail) in [
        (
            "channelId=general",
            "channelId: expected a Discord id, 15 to 20 digits without a leading zero, or up to 20 of them, separated by commas",
        ),
        (
            "after=yesterday",
            "after: expected unix milliseconds, or a time such as 2026-12-01T08:30:00Z",
        ),
        (
            "before=-1",
            "before: expected unix milliseconds, or a time such as 2026-12-01T08:30:00Z",
        ),
        (
            "minSeconds=NaN",
            "minSeconds: expected a number of seconds from 0 to 86400",
        ),
        (
            "unknownLength=maybe",
            "unknownLength: expected `keep` or `omit`",
        ),
        ("limit=101", "limit: expected a whole number from 1 to 100"),
        (
            "cursor=5:a:b:*",
            "cursor: expected the nextCursor of an earlier reply to the same query",
        ),
    ] {
        let reply = app.get(&format!("/api/guilds/{GUILD}/clips?{query}")).await;
        assert_eq!((reply.status, reply.text("/detail")), (400, detail));
    }
    assert_eq!(app.get("/api/guilds/12/clips").await.status, 400);
    assert_eq!(app.endpoint.meter().total, 0);
}
