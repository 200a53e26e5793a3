//! Jobs for single messages.

use integration::TestApp;
use serde_json::json;
use upstash_local::FaultAction;

use super::{CHANNEL, GUILD, guild_with, true_clip_ids};

#[tokio::test]
async fn a_message_job_finds_the_clips_of_its_messages_alone() {
    let app = TestApp::with_guild(guild_with(400, 10)).await;
    let guild = app.discord.guild();
    let wanted: Vec<String> = [10, 20, 25, 30, 40, 390]
        .map(|i| guild.message_ids(CHANNEL)[i].to_string())
        .to_vec();
    let gone = "1400000000000000000";
    let mut ids = wanted.clone();
    ids.push(gone.to_owned());
    let body = json!({ "type": "message", "guild_id": GUILD.to_string(), "channel_id": CHANNEL.to_string(), "message_ids": ids });

    let reply = app.post("/api/jobs", &body).await;
    assert_eq!(reply.status, 202, "{}", reply.json);
    app.drain().await;

    let job = app.job(reply.text("/jobs/0/jobId")).await;
    assert_eq!(job["state"], "completed", "{job}");
    assert_eq!(
        job["returnvalue"],
        json!({ "messagesScanned": 6, "clipsFound": 5, "missingMessages": 1 })
    );
    let stored = app
        .store()
        .clips(&GUILD.to_string(), &CHANNEL.to_string())
        .await
        .unwrap();
    assert!(stored.iter().all(|clip| wanted.contains(&clip.message_id)));

    // The scan that follows counts each message once.
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(app.channel(CHANNEL).await.message_count, 40);
    assert_eq!(app.clip_ids(CHANNEL).await, true_clip_ids(&guild, CHANNEL));
}

#[tokio::test]
async fn several_jobs_are_stored_in_one_request() {
    let app = TestApp::with_guild(guild_with(30, 1)).await;
    let ids = app.discord.guild().message_ids(CHANNEL);
    let job = |i: usize| json!({ "type": "message", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "messageIds": [ids[i].to_string()] });
    let jobs: Vec<_> = (0..20).map(job).collect();
    app.endpoint.reset_meter();
    let reply = app.post("/api/jobs", &json!(jobs)).await;
    assert_eq!(reply.json["jobs"].as_array().unwrap().len(), 20);
    // The first use of a script takes a second request. For the limit: EVALSHA, EVAL and
    // its two commands. For the jobs: the same with three.
    assert!(
        app.endpoint.meter().total <= 9,
        "{:?}",
        app.endpoint.meter()
    );
    let report = app.drain().await;
    assert_eq!(report["completed"], 20, "{report}");
    assert_eq!(app.clip_ids(CHANNEL).await.len(), 20);
}

#[tokio::test]
async fn a_message_job_goes_on_where_it_was_interrupted() {
    let app = TestApp::with_guild(guild_with(500, 1)).await;
    let guild = app.discord.guild();
    // Sparse: each window of a hundred messages contains a few of them.
    let wanted: Vec<String> = guild
        .message_ids(CHANNEL)
        .iter()
        .step_by(25)
        .map(u64::to_string)
        .collect();
    let body = json!({ "type": "message", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "messageIds": wanted });
    let limited = discord_local::Action::RateLimited {
        scope: discord_local::Scope::User,
        retry_after_secs: 1.0,
    };
    app.discord
        .faults()
        .add(discord_local::Fault::once(limited).on("before=").skip(2));
    let reply = app.post("/api/jobs", &body).await;
    assert_eq!(app.drain().await["snoozed"], 1);
    let asked = app.discord.requests().len();
    app.advance(std::time::Duration::from_secs(2));
    app.drain().await;

    let job = app.job(reply.text("/jobs/0/jobId")).await;
    assert_eq!(
        job["returnvalue"],
        json!({ "messagesScanned": 20, "clipsFound": 20, "missingMessages": 0 }),
        "{job}"
    );
    // The channel, and the three remaining windows.
    assert!(
        app.discord.requests().len() - asked <= 4 + 3,
        "it began again"
    );
}

#[tokio::test]
async fn a_message_job_finds_each_clip_once_whatever_is_lost_on_the_way() {
    let actions = [
        FaultAction::DropBefore,
        FaultAction::DropAfterCommit,
        FaultAction::Duplicate,
        FaultAction::TruncateBody,
    ];
    for action in actions {
        for skip in 0..8 {
            let app = TestApp::with_guild(guild_with(300, 1)).await;
            let ids = app.discord.guild().message_ids(CHANNEL);
            // Two windows and single messages, some of which a scan has found before.
            app.scan(CHANNEL, json!({ "options": { "maxMessages": 20 } }))
                .await;
            app.drain().await;
            let wanted: Vec<String> = ids
                .iter()
                .skip(100)
                .step_by(20)
                .map(u64::to_string)
                .collect();
            let body = json!({ "type": "message", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "messageIds": wanted });
            let reply = app.post("/api/jobs", &body).await;
            app.endpoint.faults().add(upstash_local::Fault {
                action,
                matching: None,
                skip,
                times: 1,
            });
            let id = reply.text("/jobs/0/jobId").to_owned();
            for _ in 0..5 {
                app.drain().await;
                if app.job(&id).await["finishedAt"].is_i64() {
                    break;
                }
                app.advance(std::time::Duration::from_secs(70));
            }
            app.endpoint.faults().clear();
            let job = app.job(&id).await;
            assert_eq!(
                job["returnvalue"],
                json!({ "messagesScanned": 10, "clipsFound": 9, "missingMessages": 0 }),
                "{action:?} at {skip}: {job}"
            );
            assert_eq!(app.channel(CHANNEL).await.message_count, 29);
            let path = app.path("/api/admin/counters?name=clips&period=day&limit=1");
            let request = app.http().get(path).bearer_auth(TestApp::ADMIN_KEY);
            let counted = app.send_plain(request).await;
            assert_eq!(
                counted.json["counts"][0]["count"], 29,
                "{action:?} at {skip}"
            );
        }
    }
}

#[tokio::test]
async fn a_message_job_whose_drainer_dies_counts_what_it_found() {
    let app = TestApp::with_guild(guild_with(300, 1)).await;
    let ids = app.discord.guild().message_ids(CHANNEL);
    let wanted: Vec<String> = ids.iter().step_by(30).map(u64::to_string).collect();
    let body = json!({ "type": "message", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "messageIds": wanted });
    let held = discord_local::Action::Delay(std::time::Duration::from_secs(3600));
    app.discord
        .faults()
        .add(discord_local::Fault::once(held).on("before=").skip(1));
    let reply = app.post("/api/jobs", &body).await;
    let drain = app.functions.drain.clone();
    let dying = tokio::spawn(async move { drain.handle(json!({}), 0).await });
    while app
        .store()
        .clips(&GUILD.to_string(), &CHANNEL.to_string())
        .await
        .unwrap()
        .is_empty()
    {
        tokio::task::yield_now().await;
    }
    dying.abort();
    assert!(dying.await.is_err());
    app.advance(std::time::Duration::from_secs(61));
    app.drain().await;
    let job = app.job(reply.text("/jobs/0/jobId")).await;
    assert_eq!(
        (&job["state"], &job["returnvalue"]["clipsFound"]),
        (&json!("completed"), &json!(10)),
        "{job}"
    );
}
