//! Guilds and channels through the cache, and settings.

mod apart;
mod channels;
mod settings;

use std::time::Duration;

use discord_local::guild::{Access, ChannelSpec};
use integration::{Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};
use upstash_local::{Fault, FaultAction};

use crate::limits::CHECK;
use crate::scan::{CHANNEL, GUILD, guild_with};

const HIDDEN: u64 = CHANNEL + 1;

async fn system() -> TestApp {
    let hidden = ChannelSpec::text(HIDDEN, "secret").access(Access::Hidden);
    TestApp::with_guild(guild_with(1, 1).channel(hidden)).await
}

fn guild() -> String {
    format!("/api/guilds/{GUILD}")
}

fn channel(id: u64) -> String {
    format!("/api/guilds/{GUILD}/channels/{id}")
}

/// Number of requests to Discord so far.
fn asked(app: &TestApp) -> usize {
    app.discord.requests().len()
}

async fn put(app: &TestApp, body: &Value) -> Reply {
    let path = app.path(&format!("{}/settings", guild()));
    app.send(app.http().request(Method::PUT, path).json(body))
        .await
}

async fn forget(app: &TestApp, key: &str) -> Reply {
    let path = app.path(&format!("{}/cache", guild()));
    app.send_plain(app.http().delete(path).bearer_auth(key))
        .await
}

#[tokio::test]
async fn a_guild_and_a_channel_are_asked_for_once_and_a_hit_is_one_command() {
    let app = system().await;
    for path in [guild(), channel(CHANNEL)] {
        let first = app.get(&path).await;
        assert_eq!(first.status, 200, "{}", first.json);
        let before = asked(&app);
        app.endpoint.reset_meter();
        let second = app.get(&path).await;
        assert_eq!((asked(&app), app.cost()), (before, (1 + CHECK, 1)));
        assert_eq!(first.json, second.json);
    }
    let shown = app.get(&channel(CHANNEL)).await.json;
    crate::assert_has(&shown, &json!({ "name": "clips", "type": 0 }));
    assert_eq!(shown["guildId"], json!(GUILD.to_string()));
}

#[tokio::test]
async fn unknown_or_hidden_objects_are_404_and_cached() {
    let app = system().await;
    let other = format!("/api/guilds/{}", GUILD + 77);
    for path in [other.clone(), channel(HIDDEN), channel(CHANNEL + 50)] {
        assert_eq!(app.get(&path).await.status, 404);
        let before = asked(&app);
        assert_eq!(app.get(&path).await.status, 404);
        assert_eq!(asked(&app), before, "{path}");
    }
    // First a channel of another guild, then the same channel in its own guild.
    assert_eq!(
        app.get(&format!("{other}/channels/{CHANNEL}")).await.status,
        404
    );
    assert_eq!(app.get(&channel(CHANNEL)).await.status, 200);
    for path in ["/api/guilds/x".to_owned(), channel(5)] {
        assert_eq!(app.get(&path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn an_admin_makes_a_guild_and_its_channels_be_asked_for_again() {
    let app = system().await;
    for path in [guild(), channel(CHANNEL)] {
        app.get(&path).await;
    }
    let before = asked(&app);
    assert_eq!(forget(&app, TestApp::API_KEY).await.status, 403);
    app.endpoint.reset_meter();
    assert_eq!(forget(&app, TestApp::ADMIN_KEY).await.status, 204);
    // One for the rate limit and one of its own.
    assert_eq!(app.cost().1, 2);
    for path in [guild(), channel(CHANNEL)] {
        assert_eq!(app.get(&path).await.status, 200);
    }
    assert_eq!(asked(&app), before + 2);
}

#[tokio::test]
async fn while_redis_is_unavailable_discord_is_queried() {
    let app = system().await;
    app.endpoint.faults().add(Fault {
        times: 99,
        ..Fault::new(FaultAction::Status(503))
    });
    assert_eq!(app.get(&guild()).await.status, 200);
}

#[tokio::test]
async fn settings_have_defaults_and_what_was_written_is_read_at_once() {
    let app = system().await;
    let path = format!("{}/settings", guild());
    let defaults = json!({
        "minVideoSeconds": null, "includeThreads": "all", "excludedChannelIds": [], "storeText": true, "priority": 5,
    });
    assert_eq!(app.get(&path).await.json, defaults);
    let wanted = json!({
        "minVideoSeconds": 7.5, "includeThreads": "none",
        "excludedChannelIds": [CHANNEL.to_string()], "storeText": false, "priority": 1,
    });
    app.endpoint.reset_meter();
    let reply = put(&app, &wanted).await;
    assert_eq!((reply.status, &reply.json), (200, &wanted));
    // The guild, to check that the bot is in it, and the two commands that change the
    // settings.
    assert_eq!(app.cost(), (3 + CHECK, 2));
    assert_eq!(app.get(&path).await.json, wanted);
    // From the stored settings, once the cache has expired.
    app.advance(Duration::from_secs(300));
    assert_eq!(app.get(&path).await.json, wanted);
    put(&app, &json!({})).await;
    assert_eq!(app.get(&path).await.json, defaults);
}

#[tokio::test]
async fn invalid_settings_are_named_and_nothing_is_stored() {
    let app = system().await;
    app.endpoint.reset_meter();
    for (body, detail) in [
        (
            json!({ "priority": 11 }),
            "priority: expected a whole number from 1 to 10",
        ),
        (
            json!({ "minVideoSeconds": -1 }),
            "minVideoSeconds: expected a number of seconds from 0 to 86400",
        ),
        (
            json!({ "excludedChannelIds": ["5"] }),
            "excludedChannelIds[0]: expected a Discord id, 15 to 20 digits without a leading zero, in quotes",
        ),
        (
            json!({ "excludedChannelIds": vec![CHANNEL.to_string(); 501] }),
            "excludedChannelIds: expected an array of at most 500 ids",
        ),
    ] {
        let reply = put(&app, &body).await;
        assert_eq!((reply.status, reply.text("/detail")), (400, detail));
    }
    assert_eq!(app.endpoint.meter().total, 0);
}
