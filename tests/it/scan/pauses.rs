//! How a pause of requests to Discord ends.

use std::time::Duration;

use discord_local::{Action, Fault, Scope};
use integration::TestApp;
use serde_json::json;
use shared::redis::commands::strings::Strings as _;

use super::fence::drainer;
use super::outage::{channels, drain_for};
use super::{CHANNEL, guild_with};

/// A system whose token was rejected, and a scan that waits because of that.
async fn refused() -> (TestApp, String) {
    let app = channels(2).await;
    app.discord.set_token("another-token");
    let failed = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let reason = app.job(&failed).await["failedReason"].clone();
    assert!(reason.as_str().unwrap().contains("rejected the bot token"));
    let waiting = app.scan(CHANNEL + 1, json!({})).await;
    app.drain().await;
    assert_eq!(app.job(&waiting).await["state"], "delayed");
    (app, waiting)
}

#[tokio::test]
async fn another_token_ends_the_pause_of_the_one_before() {
    let (app, waiting) = refused().await;
    let asked = app.discord.requests().len();
    let next = app.scan(CHANNEL, json!({})).await;
    app.advance(Duration::from_secs(70));
    app.drain().await;
    // With the same token, no request is sent.
    assert_eq!(app.discord.requests().len(), asked);
    app.advance(Duration::from_secs(70));
    let drain = drainer(&app, &app.redis, "another-token");
    drain.handle(json!({}), 0).await.unwrap();
    for id in [next, waiting] {
        let job = app.job(&id).await;
        assert_eq!(
            (&job["state"], &job["attemptsMade"]),
            (&json!("completed"), &json!(1))
        );
    }
    let stored = app.redis.get("trawl:discord:pace:breaker").await.unwrap();
    assert!(!stored.unwrap().contains("token\":\"another"));
    app.leaves_failed(1);
}

#[tokio::test]
async fn an_admin_ends_a_pause() {
    let (app, waiting) = refused().await;
    app.discord.set_token("sample-bot-token");
    let path = app.path("/api/admin/discord/pause");
    let of = async |key: &str| {
        let request = app.http().delete(&path).bearer_auth(key);
        app.send_plain(request).await
    };
    assert_eq!(of(TestApp::API_KEY).await.status, 403);
    let lifted = of(TestApp::ADMIN_KEY).await;
    assert_eq!(
        (lifted.status, &lifted.json["resumed"]),
        (200, &json!(true))
    );
    assert_eq!(of(TestApp::ADMIN_KEY).await.json["resumed"], false);
    let next = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(app.job(&next).await["state"], "completed");
    let jobs = drain_for(&app, &[waiting], Duration::from_secs(70)).await;
    assert_eq!(
        (&jobs[0]["state"], &jobs[0]["attemptsMade"]),
        (&json!("completed"), &json!(1))
    );
    app.leaves_failed(1);
}

#[tokio::test]
async fn scans_that_wait_for_the_end_of_a_ban_go_on_soon_after_an_admin_ends_it() {
    let app = channels(2).await;
    let banned = Fault::once(Action::CloudflareBan).on("/messages");
    app.discord.faults().add(banned);
    let met = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let other = app.scan(CHANNEL + 1, json!({})).await;
    app.drain().await;
    let path = app.path("/api/admin/discord/pause");
    let request = app.http().delete(&path).bearer_auth(TestApp::ADMIN_KEY);
    assert_eq!(app.send_plain(request).await.status, 200);
    let jobs = drain_for(&app, &[met, other], Duration::from_secs(1100)).await;
    assert!(
        jobs.iter().all(|job| job["state"] == "completed"),
        "{jobs:?}"
    );
}

#[tokio::test]
async fn a_scan_that_waits_for_discord_says_until_when_and_no_other_does() {
    let app = TestApp::with_guild(guild_with(350, 10)).await;
    let until =
        async |id: &str| app.stream(id).await["currentState"]["waitingForDiscordUntil"].clone();
    let later = app
        .scan(
            CHANNEL + 1,
            json!({ "runAt": app.clock.now_ms() + 900_000 }),
        )
        .await;
    for scope in [Scope::User, Scope::Shared, Scope::Global] {
        let limited = Action::RateLimited {
            scope,
            retry_after_secs: 600.0,
        };
        app.discord
            .faults()
            .add(Fault::once(limited).on("/messages"));
        let scan = app.scan(CHANNEL, json!({})).await;
        app.drain().await;

        let at = app.clock.now_ms() + 600_000;
        assert!(until(&scan).await.as_i64() >= Some(at), "{scope:?}");
        let stream = app.stream(&scan).await;
        let last = &stream["events"].as_array().unwrap().last().unwrap()["data"];
        assert_eq!(last["errorCode"], "discord_limited", "{last}");
        assert!(last["runAt"].as_i64() >= Some(at), "{last}");
        // A limit on everything holds for a scan that begins now, too.
        if scope == Scope::Global {
            let other = app.scan(CHANNEL, json!({ "scanMode": "backfill" })).await;
            app.drain().await;
            assert!(until(&other).await.is_i64(), "{}", app.stream(&other).await);
        }
        assert!(until(&later).await.is_null());
        app.advance(Duration::from_secs(700));
        app.drain().await;
        assert!(until(&scan).await.is_null());
        assert_eq!(app.job(&scan).await["state"], "completed");
    }
    app.leaves_any_jobs();
}
