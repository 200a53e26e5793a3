//! Failures during a scan: errors from Discord, lost replies, crashes.

use std::time::Duration;

use discord_local::{Action, Fault, Scope};
use integration::TestApp;
use serde_json::{Value, json};
use upstash_local::{Fault as Loss, FaultAction};

use super::{CHANNEL, guild_with, true_clip_ids};

/// Scans under a fault and continues until the job has finished.
async fn scan_through(app: &TestApp) -> Value {
    let scan = app.scan(CHANNEL, json!({})).await;
    for _ in 0..12 {
        app.drain().await;
        let job = app.job(&scan).await;
        if job["finishedAt"].is_i64() {
            return job;
        }
        let due = job["runAt"].as_i64().unwrap() - app.clock.now_ms();
        app.advance(Duration::from_millis(due.max(0) as u64 + 70_000));
    }
    panic!("the scan did not end: {}", app.job(&scan).await);
}

async fn assert_whole(app: &TestApp, job: &Value) {
    assert_eq!(job["state"], "completed", "{job}");
    assert_eq!(job["returnvalue"]["messagesScanned"], 350, "{job}");
    let channel = app.channel(CHANNEL).await;
    assert_eq!(
        (channel.message_count, channel.total_messages_scanned),
        (35, 350)
    );
    assert_eq!(
        app.clip_ids(CHANNEL).await,
        true_clip_ids(&app.discord.guild(), CHANNEL)
    );
}

#[tokio::test]
async fn being_limited_makes_a_scan_wait_without_costing_an_attempt() {
    let limited = |scope, retry_after_secs| Action::RateLimited {
        scope,
        retry_after_secs,
    };
    for action in [
        limited(Scope::User, 0.9),
        limited(Scope::Global, 2.0),
        limited(Scope::Shared, 1337.0),
        Action::CloudflareBan,
        Action::BlockedJson,
    ] {
        let app = TestApp::with_guild(guild_with(350, 10)).await;
        app.discord
            .faults()
            .add(Fault::once(action.clone()).on("before="));
        let scan = app.scan(CHANNEL, json!({})).await;
        let report = app.drain().await;
        assert_eq!(report["snoozed"], 1, "{action:?} {report}");
        let waiting = app.job(&scan).await;
        assert_eq!(
            (&waiting["state"], &waiting["attemptsMade"]),
            (&json!("delayed"), &json!(0))
        );

        app.advance(Duration::from_secs(100_000));
        app.drain().await;
        assert_whole(&app, &app.job(&scan).await).await;
    }
}

#[tokio::test]
async fn a_fault_of_discord_is_tried_again_and_loses_nothing() {
    for action in [
        Action::Status(500),
        Action::Status(503),
        Action::HtmlBody(502),
        Action::HtmlBody(200),
        Action::TruncatedJson,
        Action::DropConnection,
    ] {
        for skip in 0..5 {
            let app = TestApp::with_guild(guild_with(350, 10)).await;
            app.discord
                .faults()
                .add(Fault::once(action.clone()).skip(skip));
            let job = scan_through(&app).await;
            assert_whole(&app, &job).await;
        }
    }
}

#[tokio::test]
async fn one_broken_message_is_named_and_does_not_lose_its_page() {
    let app = TestApp::with_guild(guild_with(100, 1)).await;
    app.discord.faults().add(Fault::once(Action::BrokenMessage));
    let scan = app.scan(CHANNEL, json!({})).await;
    app.drain().await;

    let job = app.job(&scan).await;
    assert_eq!(job["returnvalue"]["unreadableMessages"], 1, "{job}");
    assert_eq!(job["returnvalue"]["messagesScanned"], 100);
    assert_eq!(app.clip_ids(CHANNEL).await.len(), 99);
    let events = app.stream(&scan).await["events"].clone();
    let log = events
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["type"] == "log")
        .unwrap();
    assert_eq!(log["data"]["messageIds"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn messages_deleted_between_pages_are_missing_and_nothing_else_is() {
    let app = TestApp::with_guild(guild_with(350, 10)).await;
    let ids = app.discord.guild().message_ids(CHANNEL);
    // The message at the cursor, and a clip on the next page.
    let doomed = vec![ids[250], ids[240]];
    app.discord
        .faults()
        .add(Fault::once(Action::DeleteBetweenPages(doomed)).on("before="));
    let job = scan_through(&app).await;
    assert_eq!(job["state"], "completed");
    // The clip at the cursor was read before it was deleted.
    assert_eq!(app.clip_ids(CHANNEL).await.len(), 34);
}

#[tokio::test]
async fn a_server_that_answers_oldest_first_is_scanned_as_well() {
    let app = TestApp::with_guild(guild_with(350, 10)).await;
    app.discord.faults().add(Fault::always(Action::OldestFirst));
    let job = scan_through(&app).await;
    assert_whole(&app, &job).await;
}

#[tokio::test]
async fn a_request_to_redis_lost_at_any_place_of_a_scan_changes_nothing() {
    let actions = [
        FaultAction::DropBefore,
        FaultAction::DropAfterCommit,
        FaultAction::Duplicate,
        FaultAction::Status(503),
        FaultAction::StatusAfterCommit(500),
        FaultAction::TruncateBody,
        FaultAction::NotJson(502),
    ];
    let mut fired = 0;
    for action in actions {
        for skip in 0..12 {
            let app = TestApp::with_guild(guild_with(350, 10)).await;
            let fault = Loss {
                action,
                matching: None,
                skip,
                times: 1,
            };
            app.endpoint.faults().add(fault);
            let job = scan_through(&app).await;
            assert_whole(&app, &job).await;
            assert_eq!(job["attemptsMade"], 1, "{action:?} at {skip}");
            fired += app.endpoint.faults().fired();
        }
    }
    // Enqueue, check, claim, take, four pages, settle and retention: ten requests plus
    // the reads.
    assert!(fired >= 7 * 10, "only {fired} faults fired");
}

#[tokio::test]
async fn a_drainer_that_dies_between_pages_is_replaced_and_nothing_counts_twice() {
    for pages in 1..4 {
        let app = TestApp::with_guild(guild_with(350, 10)).await;
        let scan = app.scan(CHANNEL, json!({})).await;
        let held = Fault::once(Action::Delay(Duration::from_secs(3600)))
            .on("/messages")
            .skip(pages);
        app.discord.faults().add(held);
        let drain = app.functions.drain.clone();
        let dying = tokio::spawn(async move { drain.handle(json!({}), 0).await });
        while app.discord.requests().len() < pages as usize + 1
            || app.channel_total(CHANNEL).await < u64::from(pages / 2) * 200
        {
            tokio::task::yield_now().await;
        }
        dying.abort();
        assert!(dying.await.is_err());
        assert_eq!(app.job(&scan).await["state"], "active");
        app.drain().await;
        assert_eq!(
            app.job(&scan).await["state"],
            "active",
            "the lease has not ended"
        );

        app.advance(Duration::from_secs(61));
        app.drain().await;

        let job = app.job(&scan).await;
        assert_whole(&app, &job).await;
        assert_eq!(job["attemptsMade"], 1, "a lost lease is no failed attempt");
    }
}

#[tokio::test]
async fn a_page_that_names_no_message_is_not_asked_for_without_end() {
    let mut guild = guild_with(0, 1);
    guild.add_message(
        CHANNEL,
        super::message(0, true).set("id", json!({ "not": "an id" })),
    );
    let app = TestApp::with_guild(guild).await;
    let job = scan_through(&app).await;
    assert_eq!(
        (&job["state"], &job["attemptsMade"]),
        (&json!("failed"), &json!(3))
    );
    assert!(
        job["failedReason"].as_str().unwrap().contains("malformed"),
        "{job}"
    );
    app.leaves_failed(1);
}

#[tokio::test]
async fn a_scan_whose_last_page_was_saved_is_not_begun_again() {
    for limit in [json!({}), json!({ "maxMessages": 150 })] {
        let app = TestApp::with_guild(guild_with(350, 10)).await;
        let expected = limit["maxMessages"].as_u64().unwrap_or(350);
        let scan = app
            .scan(CHANNEL, json!({ "scanMode": "backfill", "options": limit }))
            .await;
        // Pages are saved, but outcomes are not accepted until the drainer dies.
        let settles = Loss {
            action: FaultAction::Status(503),
            matching: Some(r#"\"outcome\""#.to_owned()),
            skip: 0,
            times: 9999,
        };
        app.endpoint.faults().add(settles);
        let drain = app.functions.drain.clone();
        let dying = tokio::spawn(async move { drain.handle(json!({}), 0).await });
        while app.endpoint.faults().fired() == 0 {
            tokio::task::yield_now().await;
        }
        dying.abort();
        assert!(dying.await.is_err());
        app.endpoint.faults().clear();
        assert_eq!(app.job(&scan).await["state"], "active");

        app.advance(Duration::from_secs(61));
        app.drain().await;

        let job = app.job(&scan).await;
        assert_eq!(
            (&job["state"], &job["returnvalue"]["messagesScanned"]),
            (&json!("completed"), &json!(expected))
        );
        let channel = app.channel(CHANNEL).await;
        assert_eq!(channel.total_messages_scanned, expected);
        assert_eq!(channel.status, Some(shared::scan::ScanStatus::Succeeded));
    }
}

#[tokio::test]
async fn a_long_ban_is_not_cut_short_by_a_shorter_one() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    let (store, now) = (app.store(), app.clock.now_ms());
    store
        .pause_discord(now, Duration::from_secs(82_721))
        .await
        .unwrap();
    store
        .pause_discord(now, Duration::from_secs(300))
        .await
        .unwrap();
    let pauses = async |at| {
        let policy = store.scan_policy("1").await.unwrap();
        policy.breaker.pauses("", at)
    };
    assert_eq!(pauses(now).await, Some(now + 82_721_000));
    app.advance(Duration::from_secs(82_721));
    assert_eq!(pauses(app.clock.now_ms()).await, None);
    store
        .pause_discord(app.clock.now_ms(), Duration::ZERO)
        .await
        .unwrap();
}
