//! The cache in a separate database.

use std::time::Duration;

use integration::{Options, TestApp};
use serde_json::json;
use shared::redis::commands::Keys as _;

use super::{asked, channel, forget, guild, put};
use crate::limits::CHECK;
use crate::scan::{CHANNEL, guild_with};

async fn system() -> TestApp {
    TestApp::start(Options {
        guild: guild_with(1, 1),
        cache: Some(integration::start_endpoint().await),
        ..Options::default()
    })
    .await
}

fn cache(app: &TestApp) -> &upstash_local::Server {
    app.cache.as_ref().unwrap()
}

/// Billed commands and requests of both databases since the last call.
fn costs(app: &TestApp) -> [(u64, u64); 2] {
    let meter = cache(app).meter();
    let costs = [app.cost(), (meter.total, meter.requests.values().sum())];
    app.endpoint.reset_meter();
    cache(app).reset_meter();
    costs
}

#[tokio::test]
async fn a_read_passes_the_limit_first_and_is_a_hit_in_the_other_database() {
    let app = system().await;
    for path in [guild(), channel(CHANNEL), format!("{}/settings", guild())] {
        assert_eq!(app.get(&path).await.status, 200);
        let before = asked(&app);
        costs(&app);
        assert_eq!(app.get(&path).await.status, 200);
        assert_eq!(asked(&app), before);
        assert_eq!(costs(&app), [(CHECK, 1), (1, 1)], "{path}");
    }
    let keys = app.redis.scan("0", "trawl:cache:*", 100).await.unwrap().1;
    assert!(keys.is_empty(), "{keys:?}");
}

#[tokio::test]
async fn a_refused_request_asks_the_other_database_nothing() {
    let mut limits = integration::generous_limits();
    limits.read = shared::config::LimitConfig::new(1, 60);
    let app = TestApp::start(Options {
        guild: guild_with(1, 1),
        limits,
        cache: Some(integration::start_endpoint().await),
        ..Options::default()
    })
    .await;
    assert_eq!(app.get(&guild()).await.status, 200);
    costs(&app);
    assert_eq!(app.get(&guild()).await.status, 429);
    assert_eq!(costs(&app)[1], (0, 0));
}

#[tokio::test]
async fn settings_are_read_as_they_were_written() {
    let app = system().await;
    let path = format!("{}/settings", guild());
    assert_eq!(app.get(&path).await.json["priority"], 5);
    assert_eq!(put(&app, &json!({ "priority": 2 })).await.status, 200);
    costs(&app);
    assert_eq!(app.get(&path).await.json["priority"], 2);
    // The cache holds what was just written.
    assert_eq!(costs(&app)[1], (1, 1));
}

#[tokio::test]
async fn a_value_removed_from_the_cache_is_requested_again() {
    let app = system().await;
    assert_eq!(app.get(&guild()).await.status, 200);
    let before = asked(&app);
    assert_eq!(forget(&app, TestApp::ADMIN_KEY).await.status, 204);
    assert_eq!(app.get(&guild()).await.status, 200);
    assert_eq!(asked(&app), before + 1);
}

#[tokio::test]
async fn without_the_other_database_discord_is_asked_and_settings_are_stored() {
    let mut app = system().await;
    assert_eq!(app.get(&guild()).await.status, 200);
    app.cache.take().unwrap().stop().await;
    let before = asked(&app);
    app.advance(Duration::from_secs(1));
    assert_eq!(app.get(&guild()).await.status, 200);
    assert_eq!(asked(&app), before + 1);
    assert_eq!(put(&app, &json!({ "priority": 2 })).await.status, 200);
    let path = format!("{}/settings", guild());
    assert_eq!(app.get(&path).await.json["priority"], 2);
}
