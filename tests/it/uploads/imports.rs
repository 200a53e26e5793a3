//! What the scan of an uploaded file stores.

use discord_local::guild::AttachmentSpec;
use integration::TestApp;
use serde_json::{Value, json};
use upstash_local::{Fault, FaultAction};

use super::{clips, export, exported, file, uploaded, uploaded_for};
use crate::scan::{CHANNEL, GUILD, guild_with, message};

async fn system() -> TestApp {
    TestApp::with_guild(guild_with(1, 2)).await
}

#[tokio::test]
async fn the_clips_of_a_file_are_listed_without_asking_discord() {
    let app = TestApp::with_guild(discord_local::Guild::empty(GUILD)).await;
    let scan = uploaded(&app, &file(1500)).await;
    let before = app.discord.requests().len();
    app.drain().await;
    assert_eq!(app.discord.requests().len(), before);
    let names = clips(&app).await;
    let newest_first: Vec<String> = (0..150)
        .rev()
        .map(|n| format!("clip_{}.mp4", n * 10))
        .collect();
    assert_eq!(names, newest_first);
    let job = app.job(&scan).await;
    assert_eq!(job["state"], "completed");
    assert_eq!(
        job["returnvalue"],
        json!({ "channelId": CHANNEL.to_string(), "messagesScanned": 1500, "clipsFound": 150,
            "unreadableMessages": 0 })
    );
    let stream = app.stream(&scan).await;
    assert_eq!(stream["currentState"]["status"], "SUCCEEDED");
    assert_eq!(stream["currentState"]["clipsFound"], 150);
    let page = app
        .get(&format!("/api/guilds/{GUILD}/clips?limit=1"))
        .await
        .json;
    let clip = &page["clips"][0];
    assert_eq!(clip["authorId"], "1100000000000000009");
    assert_eq!(clip["sizeBytes"], 2490);
    // No scan has read the channel, but its clips count.
    let path = format!("/api/guilds/{GUILD}/channels/{CHANNEL}/scan-status");
    let status = app.get(&path).await.json;
    assert_eq!(
        (
            &status["messageCount"],
            &status["status"],
            &status["updatedAt"]
        ),
        (&json!(150), &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn the_same_file_again_stores_nothing_twice() {
    let app = system().await;
    uploaded(&app, &file(100)).await;
    app.drain().await;
    let again = uploaded(&app, &file(100)).await;
    app.drain().await;
    assert_eq!(clips(&app).await.len(), 10);
    assert_eq!(app.job(&again).await["returnvalue"]["clipsFound"], 0);
}

#[tokio::test]
async fn what_a_scan_knows_better_stays() {
    let mut guild = discord_local::Guild::empty(GUILD);
    guild.add_text_channel(CHANNEL, "clips");
    let video = AttachmentSpec::video("scanned.mp4");
    let id = guild.add_message(CHANNEL, message(0, false).attachment(video));
    let app = TestApp::with_guild(guild).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let before = app.get(&format!("/api/guilds/{GUILD}/clips")).await.json;
    let mut same = exported(0);
    same["id"] = json!(id.to_string());
    same["attachments"][0]["id"] = before["clips"][0]["id"].clone();
    uploaded(&app, export(&[same]).to_string().as_bytes()).await;
    app.drain().await;
    let after = app.get(&format!("/api/guilds/{GUILD}/clips")).await.json;
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_clip_that_a_person_removed_is_not_imported() {
    let app = system().await;
    uploaded(&app, &file(30)).await;
    app.drain().await;
    let found = app
        .get(&format!("/api/guilds/{GUILD}/clips?limit=1"))
        .await
        .json;
    let message = found["clips"][0]["messageId"].as_str().unwrap();
    let path = format!("/api/guilds/{GUILD}/clips?messageId={message}");
    assert_eq!(app.delete(&path).await.status, 200);
    uploaded(&app, &file(30)).await;
    app.drain().await;
    assert_eq!(clips(&app).await, ["clip_10.mp4", "clip_0.mp4"]);
}

#[tokio::test]
async fn a_file_that_is_wrong_fails_with_its_reason() {
    let app = system().await;
    let mut elsewhere = export(&[exported(0)]);
    elsewhere["guild"]["id"] = json!("1999999999999999999");
    let whole = file(50);
    for (file, code) in [
        (b"<html>".to_vec(), "import_unreadable"),
        (b"{}".to_vec(), "import_unreadable"),
        (whole[..whole.len() / 2].to_vec(), "import_unreadable"),
        (elsewhere.to_string().into_bytes(), "import_elsewhere"),
    ] {
        let scan = uploaded(&app, &file).await;
        app.drain().await;
        let job = app.job(&scan).await;
        assert_eq!(
            (&job["state"], &job["errorCode"]),
            (&json!("failed"), &json!(code))
        );
        let stream = app.stream(&scan).await;
        assert_eq!(stream["currentState"]["status"], "FAILED");
    }
    app.leaves_failed(4);
}

#[tokio::test]
async fn a_file_that_claims_another_guilds_channel_leaves_its_clips_alone() {
    let mut guild = discord_local::Guild::empty(GUILD);
    guild.add_text_channel(CHANNEL, "clips");
    let video = AttachmentSpec::video("scanned.mp4");
    let id = guild.add_message(CHANNEL, message(0, false).attachment(video));
    let app = TestApp::with_guild(guild).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let before = app.get(&format!("/api/guilds/{GUILD}/clips")).await.json;
    let mut same = exported(0);
    same["id"] = json!(id.to_string());
    same["attachments"][0]["id"] = before["clips"][0]["id"].clone();
    let mut file = export(&[same]);
    let other = GUILD + 1;
    file["guild"]["id"] = json!(other.to_string());

    let scan = uploaded_for(&app, other, file.to_string().as_bytes()).await;
    app.drain().await;

    let job = app.job(&scan).await;
    assert_eq!(
        (&job["state"], &job["errorCode"]),
        (&json!("failed"), &json!("import_elsewhere"))
    );
    let theirs = app.get(&format!("/api/guilds/{other}/clips")).await.json;
    assert_eq!(theirs["clips"], json!([]));
    let after = app.get(&format!("/api/guilds/{GUILD}/clips")).await.json;
    assert_eq!(after, before);
    app.leaves_failed(1);
}

#[tokio::test]
async fn a_guild_that_scans_its_channel_later_owns_its_clips() {
    let mut guild = discord_local::Guild::empty(GUILD);
    guild.add_text_channel(CHANNEL, "clips");
    let video = AttachmentSpec::video("scanned.mp4");
    let id = guild.add_message(CHANNEL, message(0, false).attachment(video));
    let clip_id = guild.clips(CHANNEL)[0].attachment_id;
    let app = TestApp::with_guild(guild).await;
    let mut same = exported(0);
    same["id"] = json!(id.to_string());
    same["attachments"][0]["id"] = json!(clip_id.to_string());
    let mut file = export(&[same]);
    let other = GUILD + 1;
    file["guild"]["id"] = json!(other.to_string());
    uploaded_for(&app, other, file.to_string().as_bytes()).await;
    app.drain().await;
    let theirs = format!("/api/guilds/{other}/clips");
    let claimed = app.get(&theirs).await.json;
    assert_eq!(claimed["clips"][0]["id"], clip_id.to_string());

    app.scan(CHANNEL, json!({})).await;
    app.drain().await;

    let ours = format!("/api/guilds/{GUILD}/clips");
    let before = app.get(&ours).await.json;
    assert_eq!(before["clips"][0]["filename"], "scanned.mp4");
    assert_eq!(before["clips"][0]["guildId"], GUILD.to_string());
    assert_eq!(app.get(&theirs).await.json["clips"], json!([]));
    let removed = app.delete(&format!("{theirs}?messageId={id}")).await;
    assert_eq!(removed.status, 200);
    assert_eq!(app.get(&ours).await.json, before);
}

#[tokio::test]
async fn an_excluded_channel_is_not_imported() {
    let app = system().await;
    let exclude = json!({ "excludedChannelIds": [CHANNEL.to_string()] });
    app.put(&format!("/api/guilds/{GUILD}/settings"), &exclude)
        .await;
    let scan = uploaded(&app, &file(30)).await;
    app.drain().await;
    assert_eq!(app.job(&scan).await["state"], "cancelled");
    assert!(clips(&app).await.is_empty());
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_counted() {
    let app = system().await;
    let messages: Vec<Value> = vec![exported(0), json!({ "id": 5 }), json!(null), exported(10)];
    let scan = uploaded(&app, export(&messages).to_string().as_bytes()).await;
    app.drain().await;
    let result = app.job(&scan).await["returnvalue"].clone();
    assert_eq!(
        (&result["messagesScanned"], &result["unreadableMessages"]),
        (&json!(4), &json!(2))
    );
    assert_eq!(clips(&app).await.len(), 2);
}

#[tokio::test]
async fn a_lost_reply_at_any_request_changes_nothing() {
    for action in [FaultAction::DropBefore, FaultAction::DropAfterCommit] {
        for skip in [0, 1, 2, 3, 4, 5, 6, 8, 10, 12] {
            let app = system().await;
            let scan = uploaded(&app, &file(1500)).await;
            let lost = Fault {
                skip,
                ..Fault::new(action)
            };
            app.endpoint.faults().add(lost);
            app.drain().await;
            app.advance(std::time::Duration::from_secs(3600));
            app.drain().await;
            assert_eq!(clips(&app).await.len(), 150, "{action:?} after {skip}");
            let job = app.job(&scan).await;
            assert_eq!(
                job["returnvalue"]["clipsFound"], 150,
                "{action:?} after {skip}"
            );
        }
    }
}

#[tokio::test]
async fn a_cancelled_import_stops() {
    let app = system().await;
    let scan = uploaded(&app, &file(100)).await;
    assert_eq!(app.delete(&format!("/api/jobs/{scan}")).await.status, 202);
    app.drain().await;
    assert_eq!(app.job(&scan).await["state"], "cancelled");
    assert!(clips(&app).await.is_empty());
}
