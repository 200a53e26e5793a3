//! The right to read message content, and messages that can be parsed only in part.

use discord_local::guild::{AttachmentSpec, Author, MessageSpec};
use discord_local::{Action, Fault, Guild};
use integration::TestApp;
use serde_json::{Value, json};

use super::{CHANNEL, FIRST_MS, GUILD, guild_with};

/// The user ID of the sample server's bot.
const BOT: u64 = 1_100_000_000_000_000_900;

/// 300 messages of users, each with a video. In every hundred, one is visible without the
/// content intent.
fn guild(shown: impl Fn(MessageSpec) -> MessageSpec) -> Guild {
    let mut guild = guild_with(0, 1);
    guild.fill(CHANNEL, 300, |i| {
        let spec = MessageSpec::text("look").at_ms(FIRST_MS + i as i64 * 60_000);
        let spec = spec.attachment(AttachmentSpec::video("a.mp4"));
        if i % 100 == 50 { shown(spec) } else { spec }
    });
    guild
}

#[tokio::test]
async fn messages_that_are_shown_anyway_do_not_prove_that_content_may_be_read() {
    let mention = json!([{ "id": BOT.to_string(), "username": "trawl" }]);
    let ways: [&dyn Fn(MessageSpec) -> MessageSpec; 3] = [
        &|spec| {
            spec.author(Author {
                bot: true,
                ..Author::new(BOT, "trawl")
            })
        },
        &|spec| spec.set("mentions", mention.clone()),
        &|spec| spec.kind(19).set("mentions", mention.clone()),
    ];
    for shown in ways {
        let app = TestApp::with_guild(guild(shown)).await;
        app.discord.set_message_content_intent(false);
        let scan = app.scan(CHANNEL, json!({})).await;
        app.drain().await;
        let job = app.job(&scan).await;
        assert_eq!(job["state"], "failed", "{job}");
        assert!(
            job["failedReason"]
                .as_str()
                .unwrap()
                .contains("MESSAGE_CONTENT"),
            "{job}"
        );
        assert_eq!(app.channel(CHANNEL).await.forward_message_id, None);

        app.discord.set_message_content_intent(true);
        app.scan(CHANNEL, json!({})).await;
        app.drain().await;
        assert_eq!(app.clip_ids(CHANNEL).await.len(), 300);
        app.leaves_failed(1);
    }
}

#[tokio::test]
async fn whether_content_may_be_read_is_asked_once_a_run_and_only_where_it_is_in_doubt() {
    let asked = |app: &TestApp| {
        let requests = app.discord.requests();
        requests
            .iter()
            .filter(|request| request.path.ends_with("/applications/@me"))
            .count()
    };
    let app = TestApp::with_guild(guild(|spec| spec)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(asked(&app), 0);
    // Messages that are really empty, such as those left by a poll.
    let mut guild = guild_with(0, 1);
    guild.fill(CHANNEL, 300, |i| {
        MessageSpec::text("").at_ms(FIRST_MS + i as i64 * 60_000)
    });
    let app = TestApp::with_guild(guild).await;
    let scan = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(
        (&app.job(&scan).await["state"], asked(&app)),
        (&json!("completed"), 1)
    );
}

#[tokio::test]
async fn content_that_is_hidden_later_removes_no_clip() {
    let app = TestApp::with_guild(guild(|spec| spec)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    app.discord.set_message_content_intent(false);
    let batch = json!({ "type": "batch", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(), "beforeMessageId": "1999999999999999999", "limit": 300 });
    let reply = app.post("/api/jobs", &batch).await;
    app.drain().await;
    assert_eq!(
        app.job(reply.text("/jobs/0/jobId")).await["state"],
        "failed"
    );
    assert_eq!(app.clip_ids(CHANNEL).await.len(), 300);
    app.leaves_failed(1);
}

#[tokio::test]
async fn each_list_of_a_message_is_read_by_itself() {
    for (field, odd) in [
        ("embeds", json!({})),
        ("components", json!("x")),
        ("embeds", json!([7])),
        ("message_snapshots", json!([{}])),
    ] {
        let mut guild = guild_with(0, 1);
        let spec = MessageSpec::text("look").attachment(AttachmentSpec::video("a.mp4"));
        guild.add_message(CHANNEL, spec.set(field, odd).at_ms(FIRST_MS));
        let app = TestApp::with_guild(guild).await;
        let scan = app.scan(CHANNEL, json!({})).await;
        app.drain().await;
        let found = app.job(&scan).await["returnvalue"].clone();
        assert_eq!(
            (&found["clipsFound"], &found["unreadableMessages"]),
            (&json!(1), &json!(1)),
            "{field}"
        );
        assert_eq!(found["messagesScanned"], 1);
        let stream = app.stream(&scan).await;
        let logs = stream["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|e: &&Value| e["type"] == "log");
        assert_eq!(logs.count(), 1, "{field}");
    }
}

#[tokio::test]
async fn a_missing_permission_is_one_whatever_the_status_it_comes_with() {
    for status in [400, 401, 403] {
        let app = TestApp::with_guild(guild_with(10, 1)).await;
        let refused = Action::Refused {
            status,
            code: 50_013,
        };
        app.discord
            .faults()
            .add(Fault::always(refused).on("/messages"));
        let scan = app.scan(CHANNEL, json!({})).await;
        app.drain().await;
        let job = app.job(&scan).await;
        assert_eq!(
            (&job["state"], &job["attemptsMade"]),
            (&json!("failed"), &json!(1))
        );
        let reason = job["failedReason"].as_str().unwrap();
        assert!(
            reason.contains("permission") && reason.contains("50013"),
            "{status}: {reason}"
        );
        app.leaves_failed(1);
    }
}

#[tokio::test]
async fn a_guild_that_is_refused_as_if_the_token_were_wrong_is_not_there() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let guild = format!("/api/guilds/{GUILD}");
    app.discord
        .faults()
        .add(Fault::always(Action::Unauthorized).on("/guilds/"));
    assert_eq!(app.get(&guild).await.status, 404);
    app.discord.faults().clear();
    app.discord
        .faults()
        .add(Fault::always(Action::Unauthorized));
    assert_eq!(app.get("/api/guilds/1200000000000000009").await.status, 503);
}
