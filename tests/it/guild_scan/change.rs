//! Cancelling and retrying a whole guild scan.

use std::time::Duration;

use discord_local::{Action, Fault};
use integration::TestApp;
use serde_json::{Value, json};

use super::{begin, finish, guild_of, scan_all, show, statuses};
use crate::scan::{CHANNEL, GUILD};

async fn retry(app: &TestApp, scan: &str) {
    let reply = app
        .post(&format!("/api/jobs/{scan}/retry"), &json!({}))
        .await;
    assert_eq!(reply.status, 202, "{}", reply.json);
}

/// Starts a guild scan whose channels all wait.
async fn waiting(app: &TestApp) -> String {
    let scan = begin(app, &json!({})).await;
    let limited = Action::RateLimited {
        scope: discord_local::Scope::User,
        retry_after_secs: 600.0,
    };
    app.discord
        .faults()
        .add(Fault::always(limited).on("/messages"));
    app.drain().await;
    let counts = show(app, &scan).await["counts"].clone();
    assert_eq!(counts["pending"], counts["total"], "{counts}");
    app.discord.faults().clear();
    scan
}

#[tokio::test]
async fn cancelling_a_guild_scan_cancels_its_channels_and_nobody_elses() {
    let app = TestApp::with_guild(guild_of(5)).await;
    let theirs = app.scan(CHANNEL, json!({})).await;
    let scan = waiting(&app).await;

    let reply = app.delete(&format!("/api/jobs/{scan}")).await;
    assert_eq!(
        (reply.status, &reply.json["state"]),
        (202, &json!("cancelled"))
    );
    // Asked again, because the reply was lost: the same answer, and one more look.
    assert_eq!(app.delete(&format!("/api/jobs/{scan}")).await.status, 202);
    app.drain().await;

    let shown = show(&app, &scan).await;
    assert_eq!(shown["status"], "CANCELLED");
    crate::assert_has(&shown["counts"], &json!({ "cancelled": 4, "pending": 1 }));
    assert_eq!(app.job(&theirs).await["state"], "delayed");
    app.advance(Duration::from_secs(700));
    app.drain().await;
    assert_eq!(app.job(&theirs).await["state"], "completed");
    assert_eq!(app.channel_total(CHANNEL + 1).await, 0);
    // The channels are free for others.
    let other = app.scan(CHANNEL + 1, json!({})).await;
    app.drain().await;
    assert_eq!(app.job(&other).await["state"], "completed");
}

#[tokio::test]
async fn a_cancelled_guild_scan_goes_on_where_it_stopped_when_it_is_retried() {
    let app = TestApp::with_guild(guild_of(4)).await;
    let scan = waiting(&app).await;
    let d = app.delete(&format!("/api/jobs/{scan}")).await;
    eprintln!("{} {}", d.status, d.json);
    let r = app.drain().await;
    eprintln!("{r}");
    let jobs = app.get("/api/jobs").await.json;
    for j in jobs["jobs"].as_array().unwrap() {
        eprintln!(
            "{} {} {} {}",
            j["type"], j["state"], j["returnvalue"], j["errors"]
        );
    }
    assert_eq!(show(&app, &scan).await["counts"]["cancelled"], 4);
    // One of them was scanned by itself in the meantime.
    app.advance(Duration::from_secs(700));
    app.scan(CHANNEL + 2, json!({})).await;

    retry(&app, &scan).await;
    let shown = finish(&app, &scan).await;

    assert_eq!(shown["status"], "SUCCEEDED", "{shown}");
    assert_eq!(shown["counts"]["succeeded"], 4);
    for n in 0..4 {
        assert_eq!(app.channel_total(CHANNEL + n).await, 30);
    }
}

#[tokio::test]
async fn a_guild_scan_that_is_retried_before_its_channels_are_cancelled_goes_on() {
    let app = TestApp::with_guild(guild_of(3)).await;
    let scan = waiting(&app).await;
    app.delete(&format!("/api/jobs/{scan}")).await;
    retry(&app, &scan).await;
    app.advance(Duration::from_secs(700));
    let shown = finish(&app, &scan).await;
    assert_eq!(shown["counts"]["succeeded"], 3, "{shown}");
    // The job that was to cancel them may have waited for the guild scan.
    app.advance(Duration::from_secs(61));
    app.drain().await;
}

#[tokio::test]
async fn a_guild_scan_that_never_began_can_be_cancelled_and_retried() {
    let app = TestApp::with_guild(guild_of(2)).await;
    let scan = begin(&app, &json!({ "runAt": app.clock.now_ms() + 3_600_000 })).await;
    assert!(show(&app, &scan).await["runAt"].is_i64());
    assert_eq!(app.delete(&format!("/api/jobs/{scan}")).await.status, 202);
    app.drain().await;
    assert_eq!(show(&app, &scan).await["status"], "CANCELLED");
    retry(&app, &scan).await;
    assert_eq!(finish(&app, &scan).await["counts"]["succeeded"], 2);
}

#[tokio::test]
async fn a_guild_scan_fails_with_a_channel_and_its_retry_reads_that_channel_alone() {
    let app = TestApp::with_guild(guild_of(3)).await;
    let broken = format!("/channels/{}/messages", CHANNEL + 1);
    app.discord
        .faults()
        .add(Fault::always(Action::Status(403)).on(&broken));
    let shown = scan_all(&app, &json!({})).await;
    assert_eq!(shown["status"], "FAILED");
    assert_eq!(shown["errorCode"], "channels_failed");
    assert_eq!(shown["errorMessage"], "the scans of 1 of 3 channels failed");
    assert_eq!(statuses(&shown)["c1"], "FAILED");
    assert_eq!(shown["channels"][1]["errorCode"], "channel_forbidden");

    app.discord.faults().clear();
    app.discord.clear_requests();
    let scan = shown["scanId"].as_str().unwrap();
    retry(&app, scan).await;
    let waiting = show(&app, scan).await;
    assert_eq!(
        (&waiting["status"], &waiting["errorCode"]),
        (&json!("PENDING"), &Value::Null)
    );
    let state = app.stream(scan).await["currentState"].clone();
    assert_eq!(state["status"], "PENDING");
    let shown = finish(&app, scan).await;

    assert_eq!(shown["status"], "SUCCEEDED");
    assert_eq!(shown["progress"]["current"], 90);
    let requests = app.discord.requests();
    let read: Vec<&str> = requests
        .iter()
        .map(|request| request.path.as_str())
        .filter(|path| path.ends_with("/messages"))
        .collect();
    assert!(
        !read.is_empty() && read.iter().all(|path| path.contains(&broken)),
        "{read:?}"
    );
}

#[tokio::test]
async fn a_channel_that_is_cancelled_by_itself_is_left_to_the_one_who_cancelled_it() {
    let app = TestApp::with_guild(guild_of(2)).await;
    let scan = waiting(&app).await;
    let shown = show(&app, &scan).await;
    let one = shown["channels"][0]["scanId"].as_str().unwrap();
    assert_eq!(app.delete(&format!("/api/jobs/{one}")).await.status, 202);
    app.advance(Duration::from_secs(700));
    let shown = finish(&app, &scan).await;
    assert_eq!(shown["status"], "SUCCEEDED");
    crate::assert_has(&shown["counts"], &json!({ "cancelled": 1, "succeeded": 1 }));
}

#[tokio::test]
async fn a_guild_scan_is_among_the_current_ones_and_its_jobs_have_their_types() {
    let app = TestApp::with_guild(guild_of(2)).await;
    let scan = waiting(&app).await;
    app.delete(&format!("/api/jobs/{scan}")).await;
    let jobs = app.get("/api/jobs").await.json;
    let kinds = jobs["jobs"].as_array().unwrap().iter();
    let mut kinds: Vec<&str> = kinds.map(|job| job["type"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["cancel", "guild", "scan", "scan"]);
    let current: Value = app.get("/api/scans/current").await.json;
    // The job that cancels is no scan, and the guild scan has ended.
    let current = current["scans"].as_array().unwrap();
    assert_eq!(current.len(), 2);
    assert_eq!(current[0]["guildId"], GUILD.to_string());
    app.leaves_unfinished(3);
}
