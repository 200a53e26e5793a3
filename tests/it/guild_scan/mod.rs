//! Scans of a whole guild, from the route to the last channel.

mod change;
mod choice;
mod cost;
mod threads;
mod trouble;

use std::collections::BTreeMap;
use std::time::Duration;

use discord_local::guild::ChannelSpec;
use discord_local::{Guild, sample};
use integration::TestApp;
use serde_json::{Value, json};

use crate::scan::{CHANNEL, GUILD, message, true_clip_ids};

/// A guild with `n` channels of 30 messages each, three of them with clips.
pub fn guild_of(n: u64) -> Guild {
    let mut guild = Guild::empty(GUILD);
    for channel in CHANNEL..CHANNEL + n {
        guild.add_channel(ChannelSpec::text(
            channel,
            &format!("c{}", channel - CHANNEL),
        ));
        guild.fill(channel, 30, |i| message(i, i % 10 == 0));
    }
    guild
}

/// Requests a scan of the guild and returns its id.
pub async fn begin(app: &TestApp, body: &Value) -> String {
    let guild = app.discord.guild().id;
    let reply = app.post(&format!("/api/guilds/{guild}/scan"), body).await;
    assert_eq!(reply.status, 202, "{}", reply.json);
    reply.text("/scanId").to_owned()
}

/// The guild scan as its route shows it.
pub async fn show(app: &TestApp, scan: &str) -> Value {
    let guild = app.discord.guild().id;
    let reply = app.get(&format!("/api/guilds/{guild}/scans/{scan}")).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    reply.json
}

/// Drains and moves the clock until the job of a guild scan has ended. Returns what its route
/// then shows.
pub async fn finish(app: &TestApp, scan: &str) -> Value {
    for _ in 0..60 {
        app.drain().await;
        if app.job(scan).await["finishedAt"].is_i64() {
            return show(app, scan).await;
        }
        app.advance(Duration::from_secs(61));
    }
    panic!("the guild scan did not end: {}", show(app, scan).await);
}

/// Scans the guild to the end.
pub async fn scan_all(app: &TestApp, body: &Value) -> Value {
    let scan = begin(app, body).await;
    finish(app, &scan).await
}

/// The status of each channel, or the code why it is left out, by name.
pub fn statuses(shown: &Value) -> BTreeMap<String, String> {
    let channels = shown["channels"].as_array().unwrap().iter();
    channels
        .map(|channel| {
            let status = channel["status"].as_str();
            let word = status.or(channel["errorCode"].as_str()).unwrap();
            (
                channel["name"].as_str().unwrap_or("?").to_owned(),
                word.to_owned(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_guild_scan_reads_all_it_may_and_says_why_not_the_rest() {
    let app = TestApp::with_guild(sample::guild(sample::DEFAULT_SEED)).await;
    let scan = begin(&app, &json!({})).await;
    let before = show(&app, &scan).await;
    assert_eq!(
        (&before["status"], &before["channels"]),
        (&json!("PENDING"), &json!([]))
    );

    let shown = finish(&app, &scan).await;

    let expected = json!({
        "general": "SUCCEEDED", "clips": "SUCCEEDED", "highlights": "SUCCEEDED",
        "Lobby": "SUCCEEDED", "quiet": "SUCCEEDED",
        "Tournament": "SUCCEEDED", "Smokes on the new map": "SUCCEEDED",
        "Settings": "SUCCEEDED", "Best of 2025": "SUCCEEDED", "Jury": "SUCCEEDED",
        "staff": "channel_forbidden", "old-clips": "history_forbidden",
    });
    assert_eq!(json!(statuses(&shown)), expected);
    assert_eq!(shown["status"], "SUCCEEDED");
    let counts = json!({ "total": 10, "succeeded": 10, "leftOut": 2, "failed": 0,
        "pending": 0, "running": 0, "cancelled": 0, "unchanged": 0, "tooMany": 0 });
    assert_eq!(shown["counts"], counts);
    let guild = app.discord.guild();
    let mut total = 0;
    for channel in shown["channels"].as_array().unwrap() {
        if channel["status"].is_null() {
            assert!(channel["errorMessage"].is_string(), "{channel}");
            continue;
        }
        let id: u64 = channel["channelId"].as_str().unwrap().parse().unwrap();
        let stored = app.clip_ids(id).await;
        let own: Vec<String> = stored
            .into_iter()
            .filter(|id| !id.starts_with('e'))
            .collect();
        assert_eq!(own, true_clip_ids(&guild, id), "{channel}");
        let listed = guild.message_count(id) as u64;
        assert_eq!(channel["messagesScanned"], listed, "{channel}");
        total += listed;
    }
    assert_eq!(shown["progress"]["current"], total);
    let job = app.job(&scan).await;
    assert_eq!(job["returnvalue"]["messagesScanned"], total);
    assert_eq!(job["returnvalue"]["clipsFound"], shown["clipsFound"]);

    // Those who follow its events see the same end, and what was left out.
    let stream = app.stream(&scan).await;
    assert_eq!(stream["currentState"]["status"], "SUCCEEDED");
    assert_eq!(stream["currentState"]["progress"]["current"], total);
    let events = stream["events"].as_array().unwrap();
    let log = events.iter().find(|event| event["type"] == "log").unwrap();
    let left_out = [sample::STAFF_ID, sample::NO_HISTORY_ID].map(|id| id.to_string());
    assert_eq!(log["data"]["channelIds"], json!(left_out));
    let last = events
        .iter()
        .rfind(|event| event["type"] == "status")
        .unwrap();
    assert_eq!(last["data"]["status"], "SUCCEEDED");
    assert_eq!(
        events.last(),
        Some(last),
        "an event follows that of the last status"
    );

    // The list of channels knows the archived threads now, and their scans.
    let path = format!("/api/guilds/{}/channels", sample::GUILD_ID);
    let listed = app.get(&path).await.json;
    let archived = listed["channels"].as_array().unwrap().iter();
    let archived = archived.filter(|channel| channel["archived"] == true);
    let names: Vec<&str> = archived.map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Best of 2025", "Jury", "Settings"]);
}

#[tokio::test]
async fn a_guild_scan_shows_how_far_it_is_over_all_channels() {
    let app = TestApp::with_guild(guild_of(4)).await;
    let slow = discord_local::Fault::once(discord_local::Action::RateLimited {
        scope: discord_local::Scope::User,
        retry_after_secs: 600.0,
    });
    app.discord
        .faults()
        .add(slow.on(&format!("/channels/{CHANNEL}/messages")));
    let scan = begin(&app, &json!({})).await;
    app.drain().await;

    let shown = show(&app, &scan).await;

    assert_eq!(shown["status"], "RUNNING");
    crate::assert_has(
        &shown["counts"],
        &json!({ "total": 4, "succeeded": 3, "pending": 1 }),
    );
    assert_eq!(
        shown["progress"],
        json!({ "current": 90, "total": null, "percent": 75 })
    );
    assert_eq!(shown["clipsFound"], 9);
    let until = shown["waitingForDiscordUntil"].as_i64();
    assert!(until > Some(app.clock.now_ms()), "{shown}");
    app.advance(Duration::from_secs(61));
    app.drain().await;
    let state = app.stream(&scan).await["currentState"].clone();
    assert_eq!(state["progress"]["current"], 90, "{state}");
    assert_eq!(state["status"], "RUNNING", "{state}");

    app.advance(Duration::from_secs(700));
    let shown = finish(&app, &scan).await;
    assert_eq!(shown["progress"]["percent"], 100);
    assert_eq!(shown["clipsFound"], 12);
}

#[tokio::test]
async fn a_guild_scan_has_ended_as_soon_as_its_last_channel_has() {
    let app = TestApp::with_guild(guild_of(2)).await;
    let scan = begin(&app, &json!({})).await;
    app.drain().await;
    // The job itself looks again in two seconds.
    assert_eq!(app.job(&scan).await["state"], "delayed");
    assert_eq!(show(&app, &scan).await["status"], "SUCCEEDED");
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named() {
    let app = TestApp::with_guild(guild_of(1)).await;
    let path = format!("/api/guilds/{GUILD}/scan");
    let too_many: Vec<String> = (0..501).map(|n| (CHANNEL + n).to_string()).collect();
    for (body, pointer) in [
        (json!({ "scanMode": "sideways" }), "/scanMode"),
        (json!({ "scanmode": "forward" }), "/scanmode"),
        (json!({ "includeThreads": "all" }), "/includeThreads"),
        (
            json!({ "options": { "includeThreads": "some" } }),
            "/options/includeThreads",
        ),
        (
            json!({ "options": { "maxMessages": 0 } }),
            "/options/maxMessages",
        ),
        (
            json!({ "channels": { "include": [] } }),
            "/channels/include",
        ),
        (
            json!({ "channels": { "exclude": too_many } }),
            "/channels/exclude",
        ),
        (
            json!({ "channels": { "include": ["general"] } }),
            "/channels/include/0",
        ),
        (
            json!({ "channels": { "include": ["0123456789012345678"] } }),
            "/channels/include/0",
        ),
        (json!({ "channels": [] }), "/channels"),
        (json!({ "priority": 11 }), "/priority"),
        (json!({ "runAt": 1_700_000_000 }), "/runAt"),
    ] {
        let reply = app.post(&path, &body).await;
        assert_eq!(reply.status, 400, "{body} {}", reply.json);
        let errors = reply.json["errors"].as_array().unwrap();
        assert_eq!(errors[0]["pointer"], pointer, "{body} {}", reply.json);
    }
    for id in ["5", "0123456789012345678", "guild"] {
        let reply = app
            .post(&format!("/api/guilds/{id}/scan"), &json!({}))
            .await;
        assert_eq!(reply.status, 400, "{id}");
    }
}

#[tokio::test]
async fn only_a_guilds_own_guild_scan_is_found() {
    let app = TestApp::with_guild(guild_of(1)).await;
    let scan = begin(&app, &json!({})).await;
    let channel = app.scan(CHANNEL, json!({})).await;
    // However new the scan is: asking again would not help.
    for (guild, id) in [(GUILD + 1, &scan), (GUILD, &channel)] {
        let reply = app.get(&format!("/api/guilds/{guild}/scans/{id}")).await;
        assert_eq!((reply.status, reply.text("/code")), (404, "job_not_found"));
    }
    app.leaves_unfinished(2);
}
