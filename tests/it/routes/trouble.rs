//! What callers see when something fails that is not their fault.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use discord_local::{Action, Fault};
use integration::{Options, TestApp};
use serde_json::{Value, json};
use shared::config::QueueConfig;

use crate::scan::{CHANNEL, guild_with};

#[tokio::test]
async fn a_wrong_clock_is_reported_and_trusted_again_once_it_is_right() {
    let app = TestApp::start(Options {
        guild: guild_with(1, 1),
        queue: QueueConfig {
            clock_skew: Some(Duration::from_secs(30)),
            ..Options::default().queue
        },
        ..Options::default()
    })
    .await;
    let guild = app.discord.guild().id.to_string();
    let body = json!({ "guildId": guild, "channelId": CHANNEL.to_string() });
    let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let right = machine.as_millis() as i64;
    for (ahead_secs, way) in [(7200, "ahead of"), (-7200, "behind")] {
        app.clock.set(right + ahead_secs * 1000);
        let refused = app.post("/api/jobs/scan", &body).await;
        assert_eq!(
            (refused.status, refused.text("/code")),
            (503, "clock_wrong")
        );
        assert!(refused.text("/detail").contains(way), "{}", refused.json);
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
    app.clock.set(right);
    // At most one request is refused: the one that checks again.
    app.get("/api/jobs").await;
    assert_eq!(app.post("/api/jobs/scan", &body).await.status, 202);
    app.leaves_unfinished(1);
}

/// The text contains neither transport errors nor addresses.
fn assert_plain(text: &str) {
    for internal in [
        "os error",
        "tcp",
        "http:",
        "127.0.0.1",
        "hyper",
        "reqwest",
        "error sending",
    ] {
        assert!(!text.contains(internal), "{internal} in {text}");
    }
}

#[tokio::test]
async fn a_jobs_errors_are_a_code_and_a_sentence() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    app.discord
        .faults()
        .add(Fault::always(Action::DropConnection));
    let id = app.scan(CHANNEL, json!({})).await;
    for _ in 0..5 {
        app.drain().await;
        app.advance(Duration::from_secs(60));
    }
    let job = app.job(&id).await;
    assert_plain(&job.to_string());
    assert_plain(&app.stream(&id).await.to_string());
    for error in job["errors"].as_array().unwrap() {
        assert_eq!(error["code"], "discord_unavailable", "{job}");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.starts_with("Discord") && !message.contains('['),
            "{job}"
        );
    }
    let reason: &Value = &job["failedReason"];
    assert!(
        reason.is_null() || reason.as_str().unwrap().starts_with("Discord"),
        "{job}"
    );
    app.leaves_unfinished(1);
}
