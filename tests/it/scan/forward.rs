//! Cursors, counts and limits.

use std::time::Duration;

use discord_local::guild::{AttachmentSpec, MessageSpec};
use discord_local::{Guild, sample};
use integration::{Options, TestApp};
use serde_json::json;
use shared::scan::ScanStatus;

use super::{CHANNEL, FIRST_MS, GUILD, guild_with, message, true_clip_ids};

#[tokio::test]
async fn a_scan_stores_every_clip_of_a_channel_and_says_so() {
    let app = TestApp::with_guild(guild_with(250, 10)).await;
    let scan = app.scan(CHANNEL, json!({})).await;
    assert_eq!(app.job(&scan).await["state"], "waiting");

    let report = app.drain().await;

    assert_eq!(report["completed"], 1, "{report}");
    let job = app.job(&scan).await;
    assert_eq!(job["state"], "completed");
    assert_eq!(job["returnvalue"]["messagesScanned"], 250);
    assert_eq!(job["returnvalue"]["clipsFound"], 25);
    assert_eq!(
        app.clip_ids(CHANNEL).await,
        true_clip_ids(&app.discord.guild(), CHANNEL)
    );
    let ids = app.discord.guild().message_ids(CHANNEL);
    let channel = app.channel(CHANNEL).await;
    assert_eq!(channel.status, Some(ScanStatus::Succeeded));
    assert_eq!(channel.channel_name.as_deref(), Some("clips"));
    assert_eq!(
        (channel.message_count, channel.total_messages_scanned),
        (25, 250)
    );
    assert_eq!(
        channel.forward_message_id.map(|id| id.0),
        ids.last().copied()
    );
    assert_eq!(
        channel.backward_message_id.map(|id| id.0),
        ids.first().copied()
    );
    assert!(channel.backfill_done && channel.works.values().all(|work| work.done));
}

#[tokio::test]
async fn every_channel_of_the_sample_guild_gives_its_true_clips() {
    let guild = sample::guild(sample::DEFAULT_SEED);
    let app = TestApp::with_guild(guild).await;
    let channels = [
        sample::GENERAL_ID,
        sample::CLIPS_ID,
        sample::HIGHLIGHTS_ID,
        sample::VOICE_ID,
        sample::FORUM_THREAD_ID,
        sample::GENERAL_THREAD_ID,
        sample::EMPTY_ID,
    ];
    for channel in channels {
        app.scan(channel, json!({ "scanMode": "backfill" })).await;
    }

    app.drain().await;

    let guild = app.discord.guild();
    for channel in channels {
        let stored = app
            .store()
            .clips(&guild.id.to_string(), &channel.to_string())
            .await
            .unwrap();
        let is_link = |id: &str| id.starts_with('e');
        let mut ids: Vec<String> = stored
            .iter()
            .map(|c| c.id.clone())
            .filter(|id| !is_link(id))
            .collect();
        ids.sort();
        assert_eq!(ids, true_clip_ids(&guild, channel), "channel {channel}");
        let record = app.channel(channel).await;
        assert_eq!(record.status, Some(ScanStatus::Succeeded));
        assert_eq!(
            record.total_messages_scanned,
            guild.message_count(channel) as u64
        );
    }
}

#[tokio::test]
async fn a_first_forward_scan_takes_the_newest_messages_and_a_backfill_the_rest() {
    let app = TestApp::with_guild(guild_with(350, 10)).await;
    let ids = app.discord.guild().message_ids(CHANNEL);
    app.scan(CHANNEL, json!({ "options": { "maxMessages": 150 } }))
        .await;
    app.drain().await;
    let channel = app.channel(CHANNEL).await;
    assert_eq!(channel.total_messages_scanned, 150);
    assert_eq!(channel.backward_message_id.map(|id| id.0), Some(ids[200]));
    assert!(!channel.backfill_done);

    app.scan(CHANNEL, json!({ "scanMode": "backfill" })).await;
    app.drain().await;

    let channel = app.channel(CHANNEL).await;
    assert_eq!(channel.total_messages_scanned, 350);
    assert_eq!(channel.backward_message_id.map(|id| id.0), Some(ids[0]));
    assert_eq!(channel.forward_message_id.map(|id| id.0), Some(ids[349]));
    assert!(channel.backfill_done);
    assert_eq!(channel.message_count, 35);
}

#[tokio::test]
async fn a_later_forward_scan_counts_only_what_is_new() {
    let app = TestApp::with_guild(guild_with(120, 10)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    for i in 120..350 {
        app.discord.add_message(CHANNEL, message(i, i % 10 == 0));
    }

    let scan = app.scan(CHANNEL, json!({})).await;
    app.drain().await;

    assert_eq!(app.job(&scan).await["returnvalue"]["messagesScanned"], 230);
    let channel = app.channel(CHANNEL).await;
    assert_eq!(
        (channel.message_count, channel.total_messages_scanned),
        (35, 350)
    );
    assert_eq!(
        channel.forward_message_id.map(|id| id.0),
        app.discord.guild().message_ids(CHANNEL).last().copied()
    );
    assert_eq!(app.clip_ids(CHANNEL).await.len(), 35);
}

#[tokio::test]
async fn the_last_page_asks_only_for_what_is_wanted() {
    let app = TestApp::with_guild(guild_with(400, 10)).await;
    app.scan(CHANNEL, json!({ "options": { "maxMessages": 230 } }))
        .await;
    app.drain().await;

    let limits: Vec<String> = app
        .discord
        .requests()
        .into_iter()
        .filter(|request| request.path.ends_with("/messages"))
        .map(|request| request.query.split('&').next().unwrap().to_owned())
        .collect();
    assert_eq!(limits, ["limit=100", "limit=100", "limit=30"]);
}

#[tokio::test]
async fn clips_declared_too_short_are_left_out_and_unknown_ones_kept() {
    let mut guild = guild_with(0, 1);
    let video = |seconds: Option<f64>| {
        MessageSpec::text("").attachment(AttachmentSpec::video("a.mp4").declared_secs(seconds))
    };
    for (i, seconds) in [Some(2.0), Some(30.0), None].into_iter().enumerate() {
        guild.add_message(CHANNEL, video(seconds).at_ms(FIRST_MS + i as i64));
    }
    let app = TestApp::with_guild(guild).await;
    app.scan(CHANNEL, json!({ "options": { "minVideoSeconds": 5.5 } }))
        .await;
    app.drain().await;

    let stored = app
        .store()
        .clips(&GUILD.to_string(), &CHANNEL.to_string())
        .await
        .unwrap();
    let mut seconds: Vec<Option<f64>> = stored.iter().map(|clip| clip.duration_seconds).collect();
    seconds.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert_eq!(seconds, [None, Some(30.0)]);
}

#[tokio::test]
async fn a_batch_of_a_stretch_of_its_own_never_closes_a_gap() {
    let app = TestApp::with_guild(guild_with(500, 10)).await;
    let guild: Guild = (*app.discord.guild()).clone();
    let ids = guild.message_ids(CHANNEL);
    app.scan(CHANNEL, json!({ "options": { "maxMessages": 100 } }))
        .await;
    app.drain().await;

    let batch = json!({
        "type": "batch", "guild_id": guild.id.to_string(), "channel_id": CHANNEL.to_string(),
        "direction": "backward", "limit": 50, "before_message_id": ids[100].to_string(),
    });
    let reply = app.post("/api/jobs", &batch).await;
    assert_eq!(reply.status, 202, "{}", reply.json);
    app.drain().await;

    let job = app.job(reply.text("/jobs/0/jobId")).await;
    assert_eq!(job["returnvalue"]["messagesScanned"], 50);
    let channel = app.channel(CHANNEL).await;
    assert_eq!(
        channel.backward_message_id.map(|id| id.0),
        Some(ids[400]),
        "the gap was taken for read"
    );
    assert_eq!(channel.message_count, 15);
}

#[tokio::test]
async fn a_scan_of_the_same_channel_and_mode_stands_for_another_until_it_ends() {
    let app = TestApp::with_guild(guild_with(50, 10)).await;
    let first = app.scan(CHANNEL, json!({})).await;
    let body =
        json!({ "guildId": app.discord.guild().id.to_string(), "channelId": CHANNEL.to_string() });
    let again = app.post("/api/jobs/scan", &body).await;
    assert_eq!(
        (again.text("/scanId"), &again.json["duplicate"]),
        (first.as_str(), &json!(true))
    );
    let other = app.scan(CHANNEL, json!({ "scanMode": "backfill" })).await;
    assert_ne!(other, first);

    // They take turns.
    app.drain().await;
    app.advance(Duration::from_secs(60));
    app.drain().await;

    let next = app.post("/api/jobs/scan", &body).await;
    assert_ne!(next.text("/scanId"), first);
    assert_eq!(next.json["duplicate"], false);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn two_scans_of_one_channel_take_turns() {
    let app = TestApp::with_guild(guild_with(300, 10)).await;
    let forward = app.scan(CHANNEL, json!({})).await;
    let backfill = app.scan(CHANNEL, json!({ "scanMode": "backfill" })).await;

    let report = app.drain().await;
    assert_eq!(
        (&report["completed"], &report["snoozed"]),
        (&json!(2), &json!(0)),
        "{report}"
    );

    for id in [&forward, &backfill] {
        let job = app.job(id).await;
        assert_eq!(job["state"], "completed", "{job}");
        assert_eq!(job["attemptsMade"], 1);
    }
    let channel = app.channel(CHANNEL).await;
    assert_eq!(
        (channel.message_count, channel.total_messages_scanned),
        (30, 300)
    );
}

#[tokio::test]
async fn a_scan_of_a_thousand_messages_costs_what_the_golden_file_says() {
    let app = TestApp::with_guild(guild_with(1000, 10)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    app.post("/api/jobs/scan", &json!({
        "guildId": app.discord.guild().id.to_string(), "channelId": CHANNEL.to_string(), "scanMode": "backfill" })).await;
    app.drain().await;
    // The scripts are cached now. A channel of a second guild is scanned and measured.
    let second = CHANNEL + 1;
    app.discord.change_guild(|guild| {
        guild.add_text_channel(second, "more");
        guild.fill(second, 1000, |i| message(i, i % 10 == 0));
    });
    // Outside the minute in which the hourly chores run.
    app.advance(Duration::from_secs(61));
    app.endpoint.reset_meter();
    let scan = app
        .scan(second, json!({ "options": { "maxMessages": 1000 } }))
        .await;
    app.drain().await;
    let meter = app.endpoint.meter();
    assert_eq!(app.job(&scan).await["returnvalue"]["messagesScanned"], 1000);

    let mut lines = vec![format!("total {}", meter.total)];
    lines.extend(meter.commands.iter().map(|(name, n)| format!("{name} {n}")));
    lines.extend(
        meter
            .requests
            .iter()
            .map(|(kind, n)| format!("http {kind} {n}")),
    );
    crate::golden("scan-of-1000-messages", &lines);
}

#[tokio::test]
async fn the_pace_of_a_channel_is_kept() {
    let app = TestApp::start(Options {
        guild: guild_with(200, 10),
        page_interval: Duration::from_secs(20),
        ..Options::default()
    })
    .await;
    let scan = app.scan(CHANNEL, json!({})).await;

    let report = app.drain().await;
    assert_eq!(
        (&report["snoozed"], &report["rounds"]),
        (&json!(1), &json!(2)),
        "{report}"
    );
    assert_eq!(app.job(&scan).await["state"], "delayed");
    assert_eq!(app.channel(CHANNEL).await.total_messages_scanned, 100);

    app.advance(Duration::from_secs(20));
    app.drain().await;
    app.advance(Duration::from_secs(20));
    app.drain().await;
    let job = app.job(&scan).await;
    assert_eq!(
        (&job["state"], &job["returnvalue"]["messagesScanned"]),
        (&json!("completed"), &json!(200))
    );
}

#[tokio::test]
async fn what_a_forward_scan_reads_again_is_neither_counted_nor_reported_again() {
    // The newest message contains a clip.
    let app = TestApp::with_guild(guild_with(21, 10)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let scan = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let found = &app.job(&scan).await["returnvalue"];
    assert_eq!(
        (&found["messagesScanned"], &found["clipsFound"]),
        (&json!(0), &json!(0)),
        "{found}"
    );
    let events = app.stream(&scan).await["events"].clone();
    assert!(
        events
            .as_array()
            .unwrap()
            .iter()
            .all(|event| event["type"] != "clip"),
        "{events}"
    );
}

#[tokio::test]
async fn a_later_forward_scan_lists_no_more_than_is_wanted() {
    let app = TestApp::with_guild(guild_with(20, 10)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    for i in 20..110 {
        app.discord.add_message(CHANNEL, message(i, false));
    }
    let scan = app
        .scan(CHANNEL, json!({ "options": { "maxMessages": 10 } }))
        .await;
    app.drain().await;
    assert_eq!(app.job(&scan).await["returnvalue"]["messagesScanned"], 10);
    let ids = app.discord.guild().message_ids(CHANNEL);
    assert_eq!(
        app.channel(CHANNEL).await.forward_message_id.map(|id| id.0),
        Some(ids[29])
    );

    let rest = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(app.job(&rest).await["returnvalue"]["messagesScanned"], 80);
    assert_eq!(app.channel(CHANNEL).await.total_messages_scanned, 110);
}

#[tokio::test]
async fn a_forwarded_clip_stays_with_the_message_it_was_posted_in() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let original = app.discord.guild().message_ids(CHANNEL)[0];
    let forward = app.discord.guild().forward(CHANNEL, original).unwrap();
    app.discord.add_message(CHANNEL, forward);
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let stored = app
        .store()
        .clips(&GUILD.to_string(), &CHANNEL.to_string())
        .await
        .unwrap();
    assert_eq!(
        (stored.len(), stored[0].message_id.as_str()),
        (1, original.to_string().as_str())
    );
    assert_eq!(app.channel(CHANNEL).await.message_count, 1);
}
