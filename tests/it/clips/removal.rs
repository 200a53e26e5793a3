//! Clips are removed because they were deleted on Discord or because a person asked for
//! it.

use std::time::Duration;

use discord_local::guild::{AttachmentSpec, Author, ChannelSpec, MessageSpec};
use discord_local::{Action, Fault};
use integration::TestApp;
use serde_json::{Value, json};

use super::all;
use crate::scan::{CHANNEL, FIRST_MS, GUILD, guild_with};

const OTHER: u64 = CHANNEL + 1;

async fn messages(app: &TestApp) -> Vec<String> {
    let clips = all(app, GUILD, "limit=100").await;
    let mut ids: Vec<String> = clips
        .iter()
        .map(|clip| clip["messageId"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

fn without(ids: &[u64], gone: &[u64]) -> Vec<String> {
    let kept = ids.iter().filter(|id| !gone.contains(id));
    kept.map(u64::to_string).collect()
}

/// The events of a scan with this type.
async fn events(app: &TestApp, scan: &str, kind: &str) -> Vec<Value> {
    let stream = app.stream(scan).await;
    let events = stream["events"].as_array().unwrap();
    let fitting = events.iter().filter(|event| event["type"] == kind);
    fitting.map(|event| event["data"].clone()).collect()
}

async fn post(app: &TestApp, more: Value) -> String {
    let mut body = json!({ "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let reply = app.post("/api/jobs", &body).await;
    assert_eq!(reply.status, 202, "{}", reply.json);
    app.drain().await;
    reply.text("/jobs/0/jobId").to_owned()
}

async fn scanned(n: usize) -> (TestApp, Vec<u64>) {
    let app = TestApp::with_guild(guild_with(n, 1)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let ids = app.discord.guild().message_ids(CHANNEL);
    (app, ids)
}

#[tokio::test]
async fn reading_a_stretch_again_removes_the_clips_that_are_gone_from_it() {
    let (app, ids) = scanned(250).await;
    let gone = [ids[0], ids[120], ids[121], ids[249]];
    for id in gone {
        app.discord.delete_message(CHANNEL, id);
    }
    // Every scan of new messages reads the last two minutes again.
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(messages(&app).await, without(&ids, &gone[3..]));

    let all_again =
        json!({ "type": "batch", "beforeMessageId": "1999999999999999999", "limit": 1000 });
    let job = post(&app, all_again.clone()).await;
    assert_eq!(messages(&app).await, without(&ids, &gone));
    let channel = app.channel(CHANNEL).await;
    assert_eq!(channel.message_count, 246);
    let told = events(&app, &job, "removed").await;
    let told: Vec<&Value> = told
        .iter()
        .flat_map(|data| data["clips"].as_array().unwrap())
        .collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told.iter()
            .any(|clip| clip["messageId"] == json!(ids[0].to_string())
                && clip["channelId"] == json!(CHANNEL.to_string())
                && clip["id"].is_string())
    );
    // No clip is new, and none is removed a second time.
    let job = post(&app, all_again).await;
    assert!(events(&app, &job, "removed").await.is_empty());
    assert_eq!(app.job(&job).await["returnvalue"]["clipsFound"], 0);
}

#[tokio::test]
async fn a_message_job_removes_the_clips_of_messages_that_are_gone() {
    for n in [1, 5] {
        let (app, ids) = scanned(60).await;
        app.discord.delete_message(CHANNEL, ids[30]);
        let asked: Vec<String> = ids[30..30 + n].iter().map(u64::to_string).collect();
        let job = post(&app, json!({ "type": "message", "messageIds": asked })).await;
        let found = app.job(&job).await["returnvalue"].clone();
        crate::assert_has(&found, &json!({ "missingMessages": 1, "clipsFound": 0 }));
        assert_eq!(messages(&app).await, without(&ids, &ids[30..31]));
        assert_eq!(events(&app, &job, "removed").await.len(), 1);
        assert_eq!(app.channel(CHANNEL).await.message_count, 59);
    }
}

#[tokio::test]
async fn an_attachment_that_is_taken_away_leaves_the_list_and_the_others_stay() {
    let mut guild = guild_with(0, 1);
    let two = MessageSpec::text("look")
        .attachment(AttachmentSpec::video("a.mp4"))
        .attachment(AttachmentSpec::video("b.mp4"));
    let id = guild.add_message(CHANNEL, two.at_ms(FIRST_MS));
    let app = TestApp::with_guild(guild).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    for left in [1, 0] {
        app.discord.change_guild(|guild| {
            guild.edit_message(CHANNEL, id, |message| {
                message["attachments"]
                    .as_array_mut()
                    .unwrap()
                    .truncate(left);
            })
        });
        post(
            &app,
            json!({ "type": "message", "messageIds": [id.to_string()] }),
        )
        .await;
        assert_eq!(messages(&app).await.len(), left);
        assert_eq!(app.channel(CHANNEL).await.message_count, left as u64);
    }
}

#[tokio::test]
async fn an_unreadable_message_does_not_count_as_deleted() {
    let (app, ids) = scanned(50).await;
    app.discord
        .faults()
        .add(Fault::always(Action::BrokenMessage));
    post(
        &app,
        json!({ "type": "batch", "beforeMessageId": "1999999999999999999", "limit": 50 }),
    )
    .await;
    let asked: Vec<String> = ids.iter().map(u64::to_string).collect();
    post(&app, json!({ "type": "message", "messageIds": asked })).await;
    assert_eq!(messages(&app).await, without(&ids, &[]));
}

async fn removed(app: &TestApp, query: &str) -> u64 {
    let (mut n, mut cursor) = (0, String::new());
    for _ in 0..100 {
        let path = format!("/api/guilds/{GUILD}/clips{query}{cursor}");
        let reply = app.delete(&path).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        n += reply.json["removed"].as_u64().unwrap();
        match reply.json["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return n,
        }
    }
    panic!("it does not end");
}

/// Two channels, each with 30 messages of two clips, alternately by two authors.
async fn of_two_authors() -> TestApp {
    let mut guild = guild_with(0, 1).channel(ChannelSpec::text(OTHER, "other"));
    for channel in [CHANNEL, OTHER] {
        guild.fill(channel, 30, |i| {
            MessageSpec::text("look")
                .author(Author::new(1_100_000_000_000_000_001 + (i % 2) as u64, "a"))
                .at_ms(FIRST_MS + i as i64 * 1000)
                .attachment(AttachmentSpec::video("a.mp4"))
                .attachment(AttachmentSpec::video("b.mp4"))
        });
    }
    let app = TestApp::with_guild(guild).await;
    read_again(&app).await;
    assert_eq!(messages(&app).await.len(), 120);
    app
}

async fn read_again(app: &TestApp) {
    for channel in [CHANNEL, OTHER] {
        app.scan(channel, json!({})).await;
        let batch = json!({ "type": "batch", "guildId": GUILD.to_string(), "channelId": channel.to_string(), "beforeMessageId": "1999999999999999999", "limit": 1000 });
        assert_eq!(app.post("/api/jobs", &batch).await.status, 202);
    }
    app.drain().await;
    app.advance(Duration::from_secs(70));
    app.drain().await;
}

#[tokio::test]
async fn people_remove_one_clip_or_those_of_a_message_author_or_channel_for_good() {
    let app = of_two_authors().await;
    let clips = all(&app, GUILD, &format!("channelId={CHANNEL}&limit=100")).await;
    let (id, message) = (&clips[0]["id"], &clips[0]["messageId"]);
    let one = format!(
        "/{}?messageId={}",
        id.as_str().unwrap(),
        message.as_str().unwrap()
    );
    assert_eq!(removed(&app, &one).await, 1);
    assert_eq!(messages(&app).await.len(), 119);
    // The message contains another clip.
    assert_eq!(app.channel(CHANNEL).await.message_count, 30);
    // Removing it again removes nothing.
    assert_eq!(removed(&app, &one).await, 0);

    let of_message = format!(
        "?messageId={}&channelId={CHANNEL}",
        message.as_str().unwrap()
    );
    assert_eq!(removed(&app, &of_message).await, 1);
    assert_eq!(removed(&app, &of_message).await, 0);
    assert_eq!(app.channel(CHANNEL).await.message_count, 29);

    // The newest message was written by the second author.
    assert_eq!(removed(&app, "?authorId=1100000000000000002").await, 58);
    assert_eq!(messages(&app).await.len(), 60);
    assert_eq!(removed(&app, &format!("?channelId={OTHER}")).await, 30);
    assert_eq!(messages(&app).await.len(), 30);

    read_again(&app).await;
    assert_eq!(messages(&app).await.len(), 30);
    assert_eq!(app.channel(OTHER).await.message_count, 0);
    assert_eq!(app.channel(CHANNEL).await.message_count, 15);
}

#[tokio::test]
async fn a_request_removes_a_bounded_part_and_says_where_to_continue() {
    let guild = guild_with(2300, 1);
    let app = TestApp::with_guild(guild).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let path = format!("/api/guilds/{GUILD}/clips?authorId=1100000000000000001");
    let first = app.delete(&path).await;
    assert_eq!(first.json["removed"], 2000);
    let cursor = first.text("/nextCursor").to_owned();
    let strange = format!("/api/guilds/{GUILD}/clips?channelId={CHANNEL}&cursor={cursor}");
    assert_eq!(app.delete(&strange).await.status, 400);
    let rest = app.delete(&format!("{path}&cursor={cursor}")).await;
    assert_eq!(
        (&rest.json["removed"], &rest.json["nextCursor"]),
        (&json!(300), &Value::Null)
    );
    assert!(messages(&app).await.is_empty());
    assert_eq!(app.channel(CHANNEL).await.message_count, 0);
}

#[tokio::test]
async fn a_removal_without_exactly_one_target_is_refused_before_redis_is_called() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    app.endpoint.reset_meter();
    for (path, detail) in [
        (
            "",
            "channelId: name exactly one of channelId, messageId and authorId; channelId may also stand beside messageId",
        ),
        (
            "?channelId=1200000000000000001&authorId=1200000000000000001",
            "channelId: name exactly one of channelId, messageId and authorId; channelId may also stand beside messageId",
        ),
        ("?authorId=me", "authorId: expected a Discord id"),
        ("/1200000000000000001", "messageId: required"),
        (
            "/e12?messageId=1200000000000000001",
            "clipId: expected the id of a clip",
        ),
        (
            "?channelId=1200000000000000001&cursor=x",
            "cursor: expected the nextCursor of an earlier reply",
        ),
    ] {
        let reply = app
            .delete(&format!("/api/guilds/{GUILD}/clips{path}"))
            .await;
        assert_eq!(reply.status, 400, "{path}");
        assert!(reply.text("/detail").starts_with(detail), "{}", reply.json);
    }
    assert_eq!(app.endpoint.meter().total, 0);
}

#[tokio::test]
async fn a_forward_whose_clip_a_person_removed_is_not_listed_in_its_place() {
    let mut guild = guild_with(1, 1);
    let original = guild.message_ids(CHANNEL)[0];
    let forward = guild.forward(CHANNEL, original).unwrap();
    guild.add_message(CHANNEL, forward.at_ms(FIRST_MS + 600_000));
    let app = TestApp::with_guild(guild).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(removed(&app, &format!("?messageId={original}")).await, 1);
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert!(messages(&app).await.is_empty());
}
