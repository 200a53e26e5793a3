//! How far a scan reads, what it reports about that, and that every clip is reported
//! once.

use discord_local::guild::{AttachmentSpec, MessageSpec};
use discord_local::{Action, Fault, Guild};
use integration::TestApp;
use serde_json::{Value, json};

use super::{CHANNEL, FIRST_MS, GUILD, guild_with, true_clip_ids};

async fn scanned(app: &TestApp, more: Value) -> (String, Value) {
    let id = app.scan(CHANNEL, more).await;
    app.drain().await;
    let job = app.job(&id).await;
    assert_eq!(job["state"], "completed", "{job}");
    (id, job)
}

/// Whether the channel's beginning was reached, which all replies must agree on.
async fn reached_start(app: &TestApp, id: &str) -> bool {
    let job = app.job(id).await;
    let status = format!("/api/guilds/{GUILD}/channels/{CHANNEL}/scan-status");
    let answers = [
        job["returnvalue"]["reachedStart"].clone(),
        job["progress"]["reachedStart"].clone(),
        app.stream(id).await["currentState"]["reachedStart"].clone(),
        app.get(&status).await.json["reachedStart"].clone(),
    ];
    let first = answers[0].as_bool().unwrap();
    assert!(answers.iter().all(|word| *word == first), "{answers:?}");
    first
}

/// Clips reported in the events of a scan.
async fn reported(app: &TestApp, id: &str) -> Vec<String> {
    let stream = app.stream(id).await;
    let events = stream["events"].as_array().unwrap();
    let clips = events.iter().filter(|event| event["type"] == "clip");
    let clips = clips.flat_map(|event| event["data"]["clips"].as_array().unwrap());
    clips
        .map(|clip| clip["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_scan_without_a_limit_reads_to_the_beginning() {
    let app = TestApp::with_guild(guild_with(2_350, 50)).await;
    let (id, job) = scanned(&app, json!({})).await;
    assert_eq!(job["returnvalue"]["messagesScanned"], 2_350);
    assert!(reached_start(&app, &id).await);
    assert_eq!(
        app.stream(&id).await["currentState"]["progress"]["total"],
        Value::Null
    );
    assert_eq!(
        app.clip_ids(CHANNEL).await,
        true_clip_ids(&app.discord.guild(), CHANNEL)
    );
}

#[tokio::test]
async fn a_long_scan_takes_turns_with_others_under_one_id() {
    let app = TestApp::with_guild(guild_with(10_150, 500)).await;
    let id = app.scan(CHANNEL, json!({})).await;
    let report = app.drain().await;
    assert_eq!(
        (&report["completed"], &report["snoozed"]),
        (&json!(1), &json!(1)),
        "{report}"
    );
    let job = app.job(&id).await;
    assert_eq!(
        (&job["attemptsMade"], &job["returnvalue"]["messagesScanned"]),
        (&json!(1), &json!(10_150))
    );
    assert!(reached_start(&app, &id).await);
}

#[tokio::test]
async fn a_limited_scan_says_that_there_is_more_and_one_without_a_limit_reads_it() {
    let app = TestApp::with_guild(guild_with(350, 10)).await;
    let (id, job) = scanned(&app, json!({ "options": { "maxMessages": 120 } })).await;
    assert_eq!(job["returnvalue"]["messagesScanned"], 120);
    assert!(!reached_start(&app, &id).await);
    for i in 350..360 {
        app.discord
            .add_message(CHANNEL, super::message(i, i % 10 == 0));
    }
    let (id, job) = scanned(&app, json!({})).await;
    assert_eq!(job["returnvalue"]["messagesScanned"], 240);
    assert!(reached_start(&app, &id).await);
    let channel = app.channel(CHANNEL).await;
    assert_eq!(
        (channel.message_count, channel.total_messages_scanned),
        (36, 360)
    );
    assert_eq!(
        app.clip_ids(CHANNEL).await,
        true_clip_ids(&app.discord.guild(), CHANNEL)
    );
    let (id, job) = scanned(&app, json!({ "options": { "maxMessages": 1 } })).await;
    assert_eq!(job["returnvalue"]["messagesScanned"], 0);
    assert!(reached_start(&app, &id).await);
}

#[tokio::test]
async fn a_limit_that_the_channel_does_not_fill_reaches_its_beginning() {
    for n in [0, 99, 100] {
        let app = TestApp::with_guild(guild_with(n, 10)).await;
        let (id, _) = scanned(&app, json!({ "options": { "maxMessages": 101 } })).await;
        assert!(reached_start(&app, &id).await, "{n}");
    }
}

/// 40 messages in two minutes, with 48 clips in total.
fn busy() -> Guild {
    let mut guild = guild_with(0, 1);
    guild.fill(CHANNEL, 40, |i| {
        let spec = MessageSpec::text("look").at_ms(FIRST_MS + i as i64 * 3_000);
        let spec = spec.attachment(AttachmentSpec::video("a.mp4"));
        match i % 5 {
            0 => spec.attachment(AttachmentSpec::video("b.mp4")),
            _ => spec,
        }
    });
    guild
}

#[tokio::test]
async fn what_is_found_in_the_overlap_for_the_first_time_is_reported_and_counted_once() {
    for second in [json!({}), json!({ "options": { "maxMessages": 7 } })] {
        let app = TestApp::with_guild(busy()).await;
        let (mut ids, mut messages, mut clips) = (Vec::new(), 0, 0);
        let backfill = json!({ "scanMode": "backfill" });
        for more in [
            json!({ "options": { "maxMessages": 10 } }),
            second,
            backfill,
        ] {
            let (id, job) = scanned(&app, more).await;
            messages += job["returnvalue"]["messagesScanned"].as_u64().unwrap();
            clips += job["returnvalue"]["clipsFound"].as_u64().unwrap();
            ids.extend(reported(&app, &id).await);
        }
        ids.sort();
        assert_eq!((messages, clips, ids.len()), (40, 48, 48));
        ids.dedup();
        assert_eq!(ids, app.clip_ids(CHANNEL).await);
        let channel = app.channel(CHANNEL).await;
        assert_eq!(
            (channel.message_count, channel.total_messages_scanned),
            (40, 40)
        );
        assert_eq!(counted(&app).await, 48);
    }
}

/// Today's number of clips according to the counter.
async fn counted(app: &TestApp) -> u64 {
    let path = app.path("/api/admin/counters?name=clips&period=day&limit=2");
    let request = app.http().get(path).bearer_auth(TestApp::ADMIN_KEY);
    let reply = app.send_plain(request).await;
    let counts = reply.json["counts"].as_array().unwrap().clone();
    counts
        .iter()
        .map(|count| count["count"].as_u64().unwrap())
        .sum()
}

#[tokio::test]
async fn a_clip_added_to_a_message_that_was_read_is_reported_by_the_next_scan() {
    let app = TestApp::with_guild(guild_with(3, 5)).await;
    scanned(&app, json!({})).await;
    let newest = *app.discord.guild().message_ids(CHANNEL).last().unwrap();
    let link = json!([{ "type": "video", "url": "https://v.example/9", "video": { "url": "https://v.example/p" } }]);
    app.discord
        .change_guild(|guild| guild.edit_message(CHANNEL, newest, |m| m["embeds"] = link));
    let (id, job) = scanned(&app, json!({})).await;
    let found = &job["returnvalue"];
    assert_eq!(
        (&found["messagesScanned"], &found["clipsFound"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(reported(&app, &id).await.len(), 1);
    assert_eq!(counted(&app).await, 2);
}

#[tokio::test]
async fn a_page_of_more_clips_than_one_script_saves_counts_each_message_once() {
    let mut guild = guild_with(0, 1);
    guild.fill(CHANNEL, 230, |i| {
        let spec = MessageSpec::text("look").at_ms(FIRST_MS + i as i64 * 60_000);
        (0..13).fold(spec, |spec, n| {
            spec.attachment(AttachmentSpec::video(&format!("{n}.mp4")))
        })
    });
    for more in [json!({}), json!({ "options": { "maxMessages": 100 } })] {
        let app = TestApp::with_guild(guild.clone()).await;
        let expected = if more == json!({}) { 230 } else { 100 };
        let (id, job) = scanned(&app, more).await;
        let found = &job["returnvalue"];
        assert_eq!(
            (&found["messagesScanned"], &found["clipsFound"]),
            (&json!(expected), &json!(expected * 13))
        );
        let channel = app.channel(CHANNEL).await;
        assert_eq!(
            (channel.message_count, channel.total_messages_scanned),
            (expected, expected)
        );
        assert_eq!(app.clip_ids(CHANNEL).await.len() as u64, expected * 13);
        assert_eq!(reported(&app, &id).await.len() as u64, expected * 13);
        let ids: Vec<String> = app.discord.guild().message_ids(CHANNEL)[..100]
            .iter()
            .map(u64::to_string)
            .collect();
        let body = json!({ "type": "message", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "messageIds": ids });
        let reply = app.post("/api/jobs", &body).await;
        app.drain().await;
        let job = app.job(reply.text("/jobs/0/jobId")).await;
        assert_eq!(job["returnvalue"]["messagesScanned"], 100);
        let all = if expected == 100 { 200 } else { 230 };
        assert_eq!(app.channel(CHANNEL).await.message_count, all);
        assert_eq!(counted(&app).await, all * 13);
    }
}

#[tokio::test]
async fn the_counter_has_each_clip_once_however_scans_end() {
    let app = TestApp::with_guild(guild_with(350, 10)).await;
    // One that fails half-way, one that is cancelled, and one that completes.
    app.discord
        .faults()
        .add(Fault::always(Action::TruncatedJson).on("before=").skip(1));
    let id = app.scan(CHANNEL, json!({})).await;
    for _ in 0..20 {
        app.drain().await;
        if app.job(&id).await["finishedAt"].is_i64() {
            break;
        }
        app.advance(std::time::Duration::from_secs(70));
    }
    assert_eq!(app.job(&id).await["state"], "failed");
    app.discord.faults().clear();
    assert_eq!(
        counted(&app).await,
        app.clip_ids(CHANNEL).await.len() as u64
    );
    for _ in 0..2 {
        scanned(&app, json!({})).await;
        assert_eq!(counted(&app).await, 35);
    }
    app.leaves_failed(1);
}
