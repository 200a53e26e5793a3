//! Reading a channel again, and reading only a stretch of it.

use discord_local::Guild;
use discord_local::guild::{AttachmentSpec, Author, ChannelSpec, MessageSpec};
use integration::TestApp;
use serde_json::{Value, json};

use super::{CHANNEL, FIRST_MS, GUILD, guild_with, message};
use crate::clips::all;

const MINUTE: i64 = 60_000;

async fn job(app: &TestApp, more: Value) -> Value {
    let mut body = json!({ "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() });
    let fields = body.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    let reply = app.post("/api/jobs", &body).await;
    assert_eq!(reply.status, 202, "{}", reply.json);
    app.drain().await;
    let job = app.job(reply.text("/jobs/0/jobId")).await;
    assert_eq!(job["state"], "completed", "{job}");
    job
}

/// The messages of the listed clips, oldest first.
async fn messages(app: &TestApp) -> Vec<u64> {
    let clips = all(app, GUILD, "limit=100").await;
    let mut ids: Vec<u64> = clips
        .iter()
        .map(|clip| clip["messageId"].as_str().unwrap().parse().unwrap())
        .collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_rescan_finds_what_was_added_and_removes_what_is_gone() {
    let app = TestApp::with_guild(guild_with(250, 2)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let ids = app.discord.guild().message_ids(CHANNEL);
    let (added, gone) = (ids[31], [ids[10], ids[120], ids[248]]);
    app.discord.change_guild(|guild| {
        guild.edit_message(CHANNEL, added, |message| {
            message["attachments"] = json!([{ "id": "1300000000000000009", "filename": "late.mp4",
                "content_type": "video/mp4", "size": 5, "url": "https://cdn.example/late.mp4" }]);
        })
    });
    for id in gone {
        app.discord.delete_message(CHANNEL, id);
    }
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert!(messages(&app).await.contains(&gone[1]), "nobody has looked");

    let rescan = job(&app, json!({ "type": "rescan" })).await;

    let (listed, found) = (messages(&app).await, &rescan["returnvalue"]);
    assert!(listed.contains(&added) && gone.iter().all(|id| !listed.contains(id)));
    assert_eq!(listed.len(), 125 + 1 - 3);
    assert_eq!(
        (&found["messagesScanned"], &found["clipsFound"]),
        (&json!(247), &json!(1))
    );
    let stream = app.stream(rescan["id"].as_str().unwrap()).await;
    let events = stream["events"].as_array().unwrap();
    let of = |kind: &str| -> Vec<&Value> {
        let events = events.iter().filter(|event| event["type"] == kind);
        events
            .flat_map(|event| event["data"]["clips"].as_array().unwrap())
            .collect()
    };
    let mut removed: Vec<u64> = of("removed")
        .iter()
        .map(|clip| clip["messageId"].as_str().unwrap().parse().unwrap())
        .collect();
    removed.sort_unstable();
    // The forward scan has read the last two minutes again.
    assert_eq!((removed, of("clip").len()), (gone[..2].to_vec(), 1));
    let channel = app.channel(CHANNEL).await;
    assert_eq!(channel.message_count, 123);
}

#[tokio::test]
async fn a_batch_reads_between_two_messages_or_times_and_no_further() {
    let at = |i: i64| FIRST_MS + i * MINUTE;
    let rfc = |ms: i64| chrono_text(ms);
    let ids = guild_with(400, 1).message_ids(CHANNEL);
    let between =
        json!({ "afterMessageId": ids[99].to_string(), "beforeMessageId": ids[301].to_string() });
    let times = json!({ "after": at(100), "before": rfc(at(301)) });
    for ends in [between, times] {
        for direction in ["backward", "forward"] {
            let app = TestApp::with_guild(guild_with(400, 1)).await;
            let mut body = json!({ "type": "batch", "direction": direction, "limit": 1000 });
            body.as_object_mut()
                .unwrap()
                .extend(ends.as_object().unwrap().clone());
            let done = job(&app, body).await;
            assert_eq!(messages(&app).await, ids[100..301], "{direction} {ends}");
            let found = &done["returnvalue"];
            assert_eq!(found["messagesScanned"], 201, "{direction}");
            assert_eq!(found["reachedStart"], false);
            // Nothing beyond the ends counts as read.
            app.scan(CHANNEL, json!({})).await;
            app.drain().await;
            assert_eq!(messages(&app).await, ids);
        }
    }
}

#[tokio::test]
async fn a_batch_with_one_end_reads_from_there_or_down_to_it() {
    let ids = guild_with(300, 1).message_ids(CHANNEL);
    let end = ids[150].to_string();
    for (direction, field, expected) in [
        ("backward", "afterMessageId", &ids[250..]),
        ("forward", "afterMessageId", &ids[151..201]),
        ("backward", "beforeMessageId", &ids[100..150]),
    ] {
        let app = TestApp::with_guild(guild_with(300, 1)).await;
        let mut body = json!({ "type": "batch", "direction": direction, "limit": 50 });
        body[field] = end.clone().into();
        job(&app, body).await;
        assert_eq!(messages(&app).await, expected, "{direction} {field}");
    }
}

#[tokio::test]
async fn ends_that_leave_nothing_in_between_are_refused_by_name() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let (low, high) = ("1300000000000000001", "1300000000000000002");
    for (ends, wrong) in [
        (
            json!({ "afterMessageId": high, "beforeMessageId": low }),
            "/afterMessageId",
        ),
        (
            json!({ "after": 1_700_000_000_000_i64, "before": 1_600_000_000_000_i64 }),
            "/after",
        ),
        (
            json!({ "before": 1_700_000_000_000_i64, "beforeMessageId": low }),
            "/before",
        ),
        (
            json!({ "after": 1_700_000_000_000_i64, "afterMessageId": low }),
            "/after",
        ),
        (json!({ "after": 1_700_000_000 }), "/after"),
    ] {
        let mut body = json!({ "type": "rescan", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() });
        body.as_object_mut()
            .unwrap()
            .extend(ends.as_object().unwrap().clone());
        let reply = app.post("/api/jobs", &body).await;
        assert_eq!(
            (reply.status, reply.text("/errors/0/pointer")),
            (400, wrong),
            "{}",
            reply.json
        );
    }
}

#[tokio::test]
async fn an_author_whose_clips_were_removed_stays_forgotten() {
    let (forgotten, other) = (
        Author::new(1_100_000_000_000_000_001, "gone"),
        Author::new(1_100_000_000_000_000_002, "here"),
    );
    let spec = |i: usize, author: &Author| message(i, true).author(author.clone());
    let mut guild = Guild::empty(GUILD).channel(ChannelSpec::text(CHANNEL, "clips"));
    guild.fill(CHANNEL, 1300, |i| {
        spec(i, if i % 2 == 0 { &forgotten } else { &other })
    });
    let app = TestApp::with_guild(guild).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(messages(&app).await.len(), 1300);

    let path = format!("/api/guilds/{GUILD}/clips?authorId=1100000000000000001");
    let (mut removed, mut cursor) = (0, None);
    loop {
        let path = cursor.map_or(path.clone(), |cursor: String| {
            format!("{path}&cursor={cursor}")
        });
        let reply = app.delete(&path).await;
        assert_eq!(reply.status, 200, "{}", reply.json);
        removed += reply.json["removed"].as_u64().unwrap();
        cursor = reply.json["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(removed, 650);

    // What they post later is not stored, whichever way it is read.
    let now = app.clock.now_ms();
    let late = app
        .discord
        .add_message(CHANNEL, spec(0, &forgotten).at_ms(now))
        .unwrap();
    let kept = app
        .discord
        .add_message(CHANNEL, spec(1, &other).at_ms(now + 1))
        .unwrap();
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    job(&app, json!({ "type": "rescan" })).await;
    job(
        &app,
        json!({ "type": "message", "messageIds": [late.to_string()] }),
    )
    .await;
    let clips = all(&app, GUILD, "limit=100").await;
    assert_eq!(clips.len(), 651);
    assert!(
        clips
            .iter()
            .all(|clip| clip["authorId"] == "1100000000000000002")
    );
    assert_eq!(messages(&app).await.last(), Some(&kept));
    assert_eq!(app.channel(CHANNEL).await.message_count, 651);
}

#[tokio::test]
async fn a_clip_tells_all_that_its_message_does() {
    let attachment = AttachmentSpec::video("SPOILER_goal.mp4")
        .set("title", json!("Das Tor: größer"))
        .set("flags", json!(1 | 8))
        .set("clip_created_at", json!("2026-01-01T10:00:00.000000+00:00"))
        .set(
            "clip_participants",
            json!([{ "id": "1100000000000000007", "username": "b" }]),
        )
        .set("placeholder", json!("qZcKDQJ4d5h3"));
    let text = "ü".repeat(300);
    let spec = MessageSpec::text(&text)
        .at_ms(FIRST_MS)
        .author(Author::new(1_100_000_000_000_000_001, "ann"))
        .attachment(attachment)
        .set(
            "reactions",
            json!([{ "count": 3, "emoji": { "name": "x" } }, { "count": 4 }]),
        );
    let thread = CHANNEL + 5;
    let mut guild = Guild::empty(GUILD)
        .channel(ChannelSpec::text(CHANNEL, "clips"))
        .channel(ChannelSpec::thread(thread, CHANNEL, "goals"));
    let id = guild.add_message(thread, spec);
    let app = TestApp::with_guild(guild).await;
    let scan = app.scan(thread, json!({})).await;
    app.drain().await;

    let clips = all(&app, GUILD, "limit=10").await;
    let clip = &clips[0];
    let jump = format!("https://discord.com/channels/{GUILD}/{thread}/{id}");
    crate::assert_has(
        clip,
        &json!({
            "guildId": GUILD.to_string(), "channelId": thread.to_string(),
            "parentChannelId": CHANNEL.to_string(), "messageId": id.to_string(), "jumpUrl": jump,
            "authorId": "1100000000000000001", "postedAt": FIRST_MS, "text": "ü".repeat(200),
            "filename": "SPOILER_goal.mp4", "title": "Das Tor: größer", "spoiler": true,
            "isClip": true, "clipCreatedAt": 1_767_261_600_000_i64,
            "clipParticipants": ["1100000000000000007"], "thumbhash": "qZcKDQJ4d5h3",
            "reactions": 7, "source": "attachment", "probe": "pending", "probeError": null,
            "durationProbed": null,
        }),
    );
    let stream = app.stream(&scan).await;
    let events = stream["events"].as_array().unwrap();
    let event = events.iter().find(|event| event["type"] == "clip").unwrap();
    assert_eq!(
        &event["data"]["clips"][0], clip,
        "an event shows the clip as the list does"
    );

    // Without the text, once somebody wants that.
    let path = format!("/api/guilds/{GUILD}/settings");
    assert_eq!(
        app.put(&path, &json!({ "storeText": false })).await.status,
        200
    );
    let body =
        json!({ "type": "rescan", "guildId": GUILD.to_string(), "channelId": thread.to_string() });
    assert_eq!(app.post("/api/jobs", &body).await.status, 202);
    app.drain().await;
    let clips = all(&app, GUILD, "limit=10").await;
    assert_eq!(
        (&clips[0]["text"], &clips[0]["title"]),
        (&Value::Null, &json!("Das Tor: größer"))
    );
}

/// A time as RFC 3339 has it.
fn chrono_text(ms: i64) -> String {
    let seconds = (ms - FIRST_MS) / 1000;
    let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
    format!("2026-01-01T{hours:02}:{minutes:02}:00Z")
}
