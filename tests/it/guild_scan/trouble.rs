//! Guild scans while Discord or Redis is in trouble, or drainers die.

use std::time::Duration;

use discord_local::{Action, Fault, Scope};
use integration::TestApp;
use serde_json::json;
use upstash_local::{Fault as Loss, FaultAction};

use super::{begin, finish, guild_of, scan_all, show};
use crate::scan::CHANNEL;

/// Checks that each channel was read once.
async fn assert_whole(app: &TestApp, shown: &serde_json::Value, n: u64) {
    assert_eq!(shown["status"], "SUCCEEDED", "{shown}");
    assert_eq!(shown["counts"]["succeeded"], n, "{shown}");
    let mut scans = std::collections::BTreeSet::new();
    for channel in shown["channels"].as_array().unwrap() {
        assert_eq!(channel["messagesScanned"], 30, "{channel}");
        assert_eq!(channel["shared"], false, "{channel}");
        scans.insert(channel["scanId"].as_str().unwrap().to_owned());
    }
    let jobs = app.get("/api/jobs?limit=100").await.json;
    let jobs = jobs["jobs"].as_array().unwrap().iter();
    let stored: std::collections::BTreeSet<String> = jobs
        .filter(|job| job["type"] == "scan")
        .map(|job| job["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(stored, scans);
    for n in 0..n {
        assert_eq!(app.channel_total(CHANNEL + n).await, 30);
    }
}

#[tokio::test]
async fn a_request_to_redis_lost_at_any_place_of_a_guild_scan_stores_each_scan_once() {
    let actions = [
        FaultAction::DropBefore,
        FaultAction::DropAfterCommit,
        FaultAction::Duplicate,
        FaultAction::StatusAfterCommit(500),
        FaultAction::NotJson(502),
    ];
    let mut fired = 0;
    for action in actions {
        for skip in 0..14 {
            let app = TestApp::with_guild(guild_of(2)).await;
            app.endpoint.faults().add(Loss {
                action,
                matching: None,
                skip,
                times: 1,
            });
            let shown = scan_all(&app, &json!({})).await;
            assert_whole(&app, &shown, 2).await;
            fired += app.endpoint.faults().fired();
        }
    }
    assert!(fired >= 5 * 14, "only {fired} faults fired");
}

#[tokio::test]
async fn redis_away_for_longer_costs_an_attempt_and_no_channel() {
    for skip in [4, 6, 8, 10] {
        let app = TestApp::with_guild(guild_of(3)).await;
        let scan = begin(&app, &json!({})).await;
        app.endpoint.faults().add(Loss {
            action: FaultAction::Status(503),
            matching: None,
            skip,
            times: 30,
        });
        let invoke = "/2015-03-31/functions/drain/invocations";
        let _ = app
            .post(invoke, &json!({ "source": "aws.scheduler" }))
            .await;
        app.endpoint.faults().clear();
        app.advance(Duration::from_secs(120));
        let shown = finish(&app, &scan).await;
        assert_whole(&app, &shown, 3).await;
    }
}

#[tokio::test]
async fn discord_in_trouble_at_any_request_of_the_listing_is_waited_for() {
    let actions = [
        Action::Status(503),
        Action::HtmlBody(502),
        Action::DropConnection,
        Action::CloudflareBan,
        Action::RateLimited {
            scope: Scope::User,
            retry_after_secs: 30.0,
        },
        Action::RateLimited {
            scope: Scope::Shared,
            retry_after_secs: 1337.0,
        },
    ];
    for action in actions {
        for place in [
            "/users/@me",
            "/members/",
            "/channels?",
            "/threads/active",
            "/archived/public",
        ] {
            let app = TestApp::with_guild(guild_of(2)).await;
            app.discord
                .faults()
                .add(Fault::once(action.clone()).on(place));
            let scan = begin(&app, &json!({})).await;
            app.drain().await;
            let job = app.job(&scan).await;
            assert_eq!(job["attemptsMade"], 0, "{action:?} at {place} {job}");
            app.advance(Duration::from_secs(100_000));
            let shown = finish(&app, &scan).await;
            assert_whole(&app, &shown, 2).await;
        }
    }
}

#[tokio::test]
async fn a_guild_scan_that_waits_for_discord_says_until_when() {
    let app = TestApp::with_guild(guild_of(2)).await;
    let limited = Action::RateLimited {
        scope: Scope::Global,
        retry_after_secs: 600.0,
    };
    app.discord
        .faults()
        .add(Fault::once(limited).on("/users/@me"));
    let scan = begin(&app, &json!({})).await;
    app.drain().await;
    let until = app.clock.now_ms() + 600_000;
    let shown = show(&app, &scan).await;
    assert_eq!(shown["status"], "PENDING");
    assert!(shown["runAt"].as_i64() >= Some(until), "{shown}");
    assert_eq!(shown["waitingForDiscordUntil"], shown["runAt"]);
    let stream = app.stream(&scan).await;
    let last = &stream["events"].as_array().unwrap().last().unwrap()["data"];
    assert!(last["runAt"].as_i64() >= Some(until), "{last}");
    app.advance(Duration::from_secs(700));
    assert_eq!(finish(&app, &scan).await["status"], "SUCCEEDED");
}

#[tokio::test]
async fn a_drainer_that_dies_while_it_lists_is_replaced() {
    for place in ["/members/", "/archived/public", "/archived/private"] {
        let app = TestApp::with_guild(guild_of(3)).await;
        let scan = begin(&app, &json!({})).await;
        let held = Fault::once(Action::Delay(Duration::from_secs(3600))).on(place);
        app.discord.faults().add(held);
        let drain = app.functions.drain.clone();
        let dying = tokio::spawn(async move { drain.handle(json!({}), 0).await });
        while !app
            .discord
            .requests()
            .iter()
            .any(|r| r.path.contains(place))
        {
            tokio::task::yield_now().await;
        }
        dying.abort();
        assert!(dying.await.is_err());
        app.advance(Duration::from_secs(61));
        let shown = finish(&app, &scan).await;
        assert_whole(&app, &shown, 3).await;
    }
}
