//! Jobs that do not arrive through a route: from the stream of other programs, and from
//! the schedule.

use std::time::Duration;

use integration::{Options, TestApp};
use serde_json::json;
use shared::config::{DrainConfig, Environment};
use shared::redis::commands::streams::Trim;
use shared::redis::commands::{Keys as _, Streams as _};

use crate::scan::{CHANNEL, guild_with};

const STREAM: &str = "scan:jobs";

async fn leave(app: &TestApp, fields: &[(&str, &str)]) {
    let added = app.redis.xadd(STREAM, "*", Trim::No, fields).await;
    added.unwrap();
}

#[tokio::test]
async fn a_job_another_program_left_is_run_once_and_the_stream_goes() {
    let app = TestApp::with_guild(guild_with(300, 10)).await;
    let guild = app.discord.guild().id.to_string();
    let data = json!({
        "guild_id": guild, "channel_id": CHANNEL.to_string(), "direction": "backward", "limit": 100,
        "before_message_id": null, "after_message_id": null, "auto_continue": true,
    });
    leave(&app, &[("type", "batch"), ("data", &data.to_string())]).await;

    let reports = tokio::join!(app.drain(), app.drain());
    let completed = |report: &serde_json::Value| report["completed"].as_u64().unwrap();
    assert_eq!(completed(&reports.0) + completed(&reports.1), 1);
    assert_eq!(app.channel(CHANNEL).await.total_messages_scanned, 300);
    assert_eq!(app.redis.exists(&[STREAM]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_field_that_nothing_reads_does_not_lose_another_program_s_job() {
    let app = TestApp::with_guild(guild_with(20, 1)).await;
    let guild = app.discord.guild().id.to_string();
    let data = json!({
        "guild_id": guild, "channel_id": CHANNEL.to_string(), "requested_by": "a bot",
        "options": { "max_messages": 5, "colour": "blue" }, "auto_continue": true,
    });
    for _ in 0..2 {
        leave(&app, &[("type", "scan"), ("data", &data.to_string())]).await;
    }
    // One is a duplicate of the other.
    assert_eq!(app.drain().await["completed"], 1);
    assert_eq!(app.channel(CHANNEL).await.total_messages_scanned, 5);
}

#[tokio::test]
async fn what_is_no_job_goes_to_the_dead_letters_with_its_reason() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    leave(&app, &[("type", "batch"), ("data", "{nonsense")]).await;
    leave(&app, &[("type", "batch"), ("data", r#"{"guild_id":"5"}"#)]).await;
    leave(&app, &[("type", "dance"), ("data", "{}")]).await;
    leave(&app, &[("hello", "world")]).await;
    app.drain().await;

    let failed = app.get("/api/jobs?state=failed").await;
    let mut reasons: Vec<&str> = failed.json["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["failedReason"].as_str().unwrap())
        .collect();
    reasons.sort_unstable();
    assert_eq!(
        reasons,
        [
            "data: expected a JSON object",
            "data: required",
            "guild_id: expected a Discord id, 15 to 20 digits without a leading zero, in quotes; \
             channelId: required",
            "type: expected one of `scan`, `batch`, `rescan`, `message`; guildId: required; channelId: required",
        ]
    );
    let kept = |job: &serde_json::Value| {
        job["type"] == "foreign"
            && job["data"]["data"] == "{nonsense"
            && job["data"]["type"] == "batch"
    };
    assert!(failed.json["jobs"].as_array().unwrap().iter().any(kept));
    assert_eq!(app.redis.exists(&[STREAM]).await.unwrap(), 0);
    app.leaves_failed(4);
}

#[tokio::test]
async fn a_recurring_scan_runs_once_a_slot() {
    let guild = guild_with(300, 10);
    let setting = json!([{
        "name": "hourly", "cron": "30 * * * *",
        "job": { "type": "scan", "guildId": guild.id.to_string(), "channelId": CHANNEL.to_string() },
    }])
    .to_string();
    let environment = Environment::from(|name| (name == "RECURRING_JOBS").then(|| setting.clone()));
    let app = TestApp::start(Options {
        guild,
        drain: DrainConfig::read(&environment).unwrap(),
        ..Options::default()
    })
    .await;

    let mut completed = 0;
    for _ in 0..180 {
        app.advance(Duration::from_secs(60));
        completed += app.drain().await["completed"].as_u64().unwrap();
    }
    assert_eq!(completed, 3);
    assert_eq!(app.channel(CHANNEL).await.total_messages_scanned, 300);
}

#[test]
fn a_recurring_job_that_cannot_be_one_stops_the_drainer_with_its_name() {
    let broken = [
        (
            r#"{"name":"a","cron":"61 * * * *","job":{"type":"scan","guildId":"123456789012345678","channelId":"123456789012345678"}}"#,
            "recurring job `a`: cron:",
        ),
        (
            r#"{"name":"b","cron":"* * * * *","job":{"type":"scan"}}"#,
            "recurring job `b`: job.guildId: required",
        ),
    ];
    for (setting, expected) in broken {
        let text = format!("[{setting}]");
        let environment =
            Environment::from(|name| (name == "RECURRING_JOBS").then(|| text.clone()));
        let config = DrainConfig::read(&environment).unwrap();
        let clock = shared::clock::Clock::manual(integration::START_MS);
        let error = drain::Chores::new(&config, &clock).err().unwrap();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}
