//! Channels that cannot be scanned, each with a reason that a person understands.

use discord_local::guild::{Access, ChannelSpec};
use discord_local::{Action, Fault, sample};
use integration::TestApp;
use serde_json::json;
use shared::scan::ScanStatus;

use super::{CHANNEL, GUILD, guild_with, message};

async fn reason(app: &TestApp, channel: u64) -> String {
    let scan = app.scan(channel, json!({})).await;
    let report = app.drain().await;
    assert_eq!(report["failed"], 1, "{report}");
    let job = app.job(&scan).await;
    assert_eq!(
        (&job["state"], &job["attemptsMade"]),
        (&json!("failed"), &json!(1))
    );
    let stream = app.stream(&scan).await;
    assert_eq!(stream["currentState"]["status"], "FAILED");
    assert_eq!(stream["currentState"]["errorMessage"], job["failedReason"]);
    job["failedReason"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_refusal_has_its_own_reason() {
    let app = TestApp::with_guild(sample::guild(sample::DEFAULT_SEED)).await;
    for (channel, expected) in [
        (sample::FORUM_ID, "a forum has no messages of its own"),
        (
            sample::STAFF_ID,
            "the bot cannot see this channel: grant it the VIEW_CHANNEL permission",
        ),
        (sample::NO_HISTORY_ID, "READ_MESSAGE_HISTORY"),
        (1_300_000_000_000_000_000, "the channel does not exist"),
    ] {
        let reason = reason(&app, channel).await;
        assert!(reason.contains(expected), "{channel}: {reason}");
    }
    app.discord.faults().add(Fault::once(Action::Unauthorized));
    assert!(
        reason(&app, sample::CLIPS_ID)
            .await
            .contains("rejected the bot token")
    );
    app.leaves_failed(5);
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    app.discord
        .change_guild(|guild| guild.id = 1_299_999_999_999_999_999);
    let body = json!({ "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() });
    let scan = app.post("/api/jobs/scan", &body).await;
    app.drain().await;
    let job = app.job(scan.text("/scanId")).await;
    assert_eq!(
        job["failedReason"],
        "the channel does not belong to this guild"
    );
    app.leaves_failed(1);
}

#[tokio::test]
async fn a_request_that_names_the_wrong_guild_takes_no_correct_one_with_it() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    let mut created = Vec::new();
    for guild in [GUILD + 1, GUILD, GUILD] {
        let body = json!({ "guildId": guild.to_string(), "channelId": CHANNEL.to_string() });
        created.push(app.post("/api/jobs/scan", &body).await);
    }
    assert_ne!(created[0].text("/scanId"), created[1].text("/scanId"));
    assert_eq!(created[1].text("/scanId"), created[2].text("/scanId"));
    app.drain().await;
    let wrong = app.job(created[0].text("/scanId")).await;
    assert_eq!(wrong["errorCode"], "channel_elsewhere", "{wrong}");
    let right = app.job(created[1].text("/scanId")).await;
    assert_eq!(right["state"], "completed", "{right}");
    app.leaves_failed(1);
}

#[tokio::test]
async fn without_the_intent_to_read_content_a_scan_fails_and_moves_no_cursor() {
    let app = TestApp::with_guild(guild_with(100, 2)).await;
    app.discord.set_message_content_intent(false);
    assert!(reason(&app, CHANNEL).await.contains("MESSAGE_CONTENT"));
    let channel = app.channel(CHANNEL).await;
    assert_eq!(
        (channel.status, channel.forward_message_id),
        (Some(ScanStatus::Failed), None)
    );

    app.discord.set_message_content_intent(true);
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(app.channel(CHANNEL).await.message_count, 50);
    app.leaves_failed(1);
}

#[tokio::test]
async fn without_history_a_scan_fails_and_moves_no_cursor() {
    let mut guild = guild_with(10, 2);
    let silent = CHANNEL + 1;
    guild.add_channel(ChannelSpec::text(silent, "silent").access(Access::NoHistory));
    guild.fill(silent, 20, |i| message(i, true));
    let app = TestApp::with_guild(guild).await;
    assert!(reason(&app, silent).await.contains("READ_MESSAGE_HISTORY"));
    assert_eq!(app.channel(silent).await.forward_message_id, None);
    app.leaves_failed(1);
}

#[tokio::test]
async fn a_channel_whose_messages_were_all_deleted_is_no_failure() {
    let app = TestApp::with_guild(guild_with(5, 1)).await;
    for id in app.discord.guild().message_ids(CHANNEL) {
        app.discord.delete_message(CHANNEL, id);
    }
    let scan = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(app.job(&scan).await["state"], "completed");
}

#[tokio::test]
async fn a_refused_token_keeps_every_job_from_asking_again() {
    let app = TestApp::with_guild(guild_with(20, 2)).await;
    let other = CHANNEL + 1;
    app.discord
        .change_guild(|guild| guild.add_text_channel(other, "other"));
    app.discord.faults().add(Fault::once(Action::Unauthorized));
    reason(&app, CHANNEL).await;
    let asked = app.discord.requests().len();

    let scan = app.scan(other, json!({})).await;
    let report = app.drain().await;

    assert_eq!(report["snoozed"], 1, "{report}");
    assert_eq!(app.discord.requests().len(), asked);
    app.advance(std::time::Duration::from_secs(400));
    app.drain().await;
    assert_eq!(app.job(&scan).await["state"], "completed");
    app.leaves_failed(1);
}

#[tokio::test]
async fn history_lost_during_a_backfill_is_not_taken_for_the_channels_start() {
    let mut guild = guild_with(0, 1);
    let fading = CHANNEL + 1;
    guild.add_channel(ChannelSpec::text(fading, "fading"));
    guild.fill(fading, 300, |i| message(i, i % 10 == 0));
    let app = TestApp::with_guild(guild).await;
    app.scan(fading, json!({ "options": { "maxMessages": 100 } }))
        .await;
    app.drain().await;
    app.discord.change_guild(|guild| {
        let mut changed = discord_local::Guild::empty(guild.id);
        changed.add_channel(ChannelSpec::text(fading, "fading").access(Access::NoHistory));
        changed.fill(fading, 300, |i| message(i, i % 10 == 0));
        *guild = changed;
    });

    let scan = app.scan(fading, json!({ "scanMode": "backfill" })).await;
    app.drain().await;

    let job = app.job(&scan).await;
    assert_eq!(job["state"], "failed", "{job}");
    assert!(
        job["failedReason"]
            .as_str()
            .unwrap()
            .contains("READ_MESSAGE_HISTORY")
    );
    assert!(!app.channel(fading).await.backfill_done);
    app.leaves_failed(1);
}

#[tokio::test]
async fn an_empty_channel_is_not_taken_for_read_to_its_start() {
    let app = TestApp::with_guild(guild_with(0, 1)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert!(!app.channel(CHANNEL).await.backfill_done);
}

#[tokio::test]
async fn message_jobs_stop_at_the_same_refusals() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    let ids = app.discord.guild().message_ids(CHANNEL);
    let body = json!({ "type": "message", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "messageIds": [ids[0].to_string()] });
    app.discord.set_message_content_intent(false);
    let blind = app.post("/api/jobs", &body).await;
    app.drain().await;
    let job = app.job(blind.text("/jobs/0/jobId")).await;
    assert!(
        job["failedReason"]
            .as_str()
            .unwrap()
            .contains("MESSAGE_CONTENT"),
        "{job}"
    );

    app.discord.set_message_content_intent(true);
    let now = app.clock.now_ms();
    app.store()
        .pause_discord(now, std::time::Duration::from_secs(60))
        .await
        .unwrap();
    let asked = app.discord.requests().len();
    let paused = app.post("/api/jobs", &body).await;
    assert_eq!(app.drain().await["snoozed"], 1);
    assert_eq!(app.discord.requests().len(), asked);
    app.advance(std::time::Duration::from_secs(70));
    app.drain().await;
    assert_eq!(
        app.job(paused.text("/jobs/0/jobId")).await["state"],
        "completed"
    );
    app.leaves_failed(1);
}
