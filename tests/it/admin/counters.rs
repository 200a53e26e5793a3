//! Counters per minute, hour and day.

use std::time::Duration;

use discord_local::Guild;
use discord_local::guild::ChannelSpec;
use integration::TestApp;
use serde_json::{Value, json};
use upstash_local::{Fault, FaultAction};

use super::get;
use crate::scan::{CHANNEL, GUILD, guild_with, message};

async fn counts(app: &TestApp, query: &str) -> Vec<u64> {
    let reply = get(app, &format!("/api/admin/counters?name=clips&{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    let counts = reply.json["counts"].as_array().unwrap().iter();
    counts
        .map(|count| count["count"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn the_clips_of_finished_scans_are_counted_in_their_minute_hour_and_day() {
    let app = TestApp::with_guild(guild_with(250, 10)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    app.advance(Duration::from_secs(3600));
    // A known clip, a new clip, and a message without a clip.
    app.discord.add_message(CHANNEL, message(300, true));
    let ids = app.discord.guild().message_ids(CHANNEL);
    let job = json!({ "type": "message", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "messageIds": [ids[10].to_string(), ids[11].to_string(), ids[250].to_string()] });
    app.post("/api/jobs", &job).await;
    app.drain().await;
    assert_eq!(
        counts(&app, "period=minute&limit=61").await.first(),
        Some(&25)
    );
    assert_eq!(counts(&app, "period=minute&limit=2").await, [0, 1]);
    assert_eq!(counts(&app, "limit=2").await, [25, 1]);
    assert_eq!(counts(&app, "period=day&limit=1").await, [26]);
    let reply = get(&app, "/api/admin/counters?name=clips&period=hour&limit=1").await;
    let hour_ms = 3_600_000;
    assert_eq!(
        reply.json,
        json!({
            "name": "clips", "period": "hour",
            "counts": [{ "startedAt": app.clock.now_ms().div_euclid(hour_ms) * hour_ms, "count": 1 }],
        })
    );
}

#[tokio::test]
async fn counting_costs_nothing_without_clips_and_no_extra_round_trip_with_them() {
    let billed = async |has_clips: bool| {
        let mut guild = Guild::empty(GUILD).channel(ChannelSpec::text(CHANNEL, "clips"));
        guild.fill(CHANNEL, 250, |i| message(i, has_clips));
        let app = TestApp::with_guild(guild).await;
        app.scan(CHANNEL + 1, json!({})).await;
        app.drain().await;
        app.scan(CHANNEL, json!({})).await;
        app.endpoint.reset_meter();
        app.drain().await;
        // This channel does not exist. Its scan made the endpoint cache the scripts.
        app.leaves_failed(1);
        let meter = app.endpoint.meter();
        let trips: u64 = meter.requests.values().sum();
        let counts = meter.commands.get("hincrby").copied().unwrap_or(0);
        // A further command, in its own request, may update the month's count.
        let counted = if has_clips { 3 } else { 0 };
        let kept = counts - counted;
        assert!(kept <= 1, "{counts}");
        trips - kept
    };
    let without = billed(false).await;
    assert_eq!(billed(true).await, without);
}

#[tokio::test]
async fn clips_are_counted_once_whatever_happens_to_the_counting_request() {
    for action in [
        FaultAction::DropBefore,
        FaultAction::DropAfterCommit,
        FaultAction::Duplicate,
        FaultAction::StatusAfterCommit(502),
        FaultAction::TruncateBody,
    ] {
        let app = TestApp::with_guild(guild_with(250, 10)).await;
        app.scan(CHANNEL, json!({})).await;
        app.endpoint
            .faults()
            .add(Fault::new(action).matching("counter:"));
        app.drain().await;
        assert_eq!(counts(&app, "period=day&limit=1").await, [25], "{action:?}");
    }
}

#[tokio::test]
async fn an_invalid_query_is_refused_with_the_allowed_values() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    for (query, detail) in [
        ("", "name: required"),
        ("?name=hits", "name: expected `clips`"),
        (
            "?name=clips&period=year",
            "period: expected one of `minute`, `hour`, `day`",
        ),
        (
            "?name=clips&limit=0",
            "limit: expected a whole number from 1 to 192",
        ),
        (
            "?name=clips&period=minute&limit=181",
            "limit: expected a whole number from 1 to 180",
        ),
        (
            "?name=clips&period=minute&limit=500",
            "limit: expected a whole number from 1 to 180",
        ),
    ] {
        let reply = get(&app, &format!("/api/admin/counters{query}")).await;
        assert_eq!((reply.status, reply.text("/detail")), (400, detail));
    }
    assert_eq!(app.endpoint.meter().total, 0);
    let path = "/api/admin/counters?name=clips";
    assert_eq!(app.get(path).await.status, 403);
    let empty: Vec<Value> = get(&app, path).await.json["counts"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(empty.len(), 24);
}
