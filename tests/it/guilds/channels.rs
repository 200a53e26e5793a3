//! The list of the bot's guilds, and the list of a guild's channels: what the bot may read,
//! compared with what Discord then lets it read.

use std::collections::BTreeMap;

use discord_local::guild::permissions::{
    ADMINISTRATOR, CONNECT, EVERYONE, MANAGE_THREADS, READ_MESSAGE_HISTORY, VIEW_CHANNEL,
};
use discord_local::guild::{Access, ChannelSpec, Overwrite, Role};
use discord_local::{Guild, MessageSpec, sample};
use integration::TestApp;
use serde_json::{Value, json};

use super::asked;
use crate::limits::CHECK;
use crate::scan::{CHANNEL, GUILD, guild_with};

const ROLE: u64 = GUILD + 500;

async fn channels(app: &TestApp) -> Vec<Value> {
    let guild = app.discord.guild().id;
    let reply = app.get(&format!("/api/guilds/{guild}/channels")).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    reply.json["channels"].as_array().unwrap().clone()
}

/// Why the bot may not read each channel, by name; null if it may.
async fn codes(app: &TestApp) -> BTreeMap<String, Value> {
    let listed = channels(app).await;
    let named = listed.into_iter().map(|channel| {
        let code = channel["unreadableCode"].clone();
        assert_eq!(channel["readable"], code.is_null(), "{channel}");
        assert_eq!(channel["unreadableReason"].is_null(), code.is_null());
        (channel["name"].as_str().unwrap().to_owned(), code)
    });
    named.collect()
}

#[tokio::test]
async fn all_guilds_of_the_bot_are_listed_however_many_there_are() {
    let mut guild = Guild::empty(GUILD);
    guild.also_in = (1..=450)
        .map(|n| (GUILD + n, format!("Guild {n}")))
        .collect();
    let app = TestApp::with_guild(guild).await;

    let reply = app.get("/api/guilds").await;

    let ids: Vec<&str> = reply.json["guilds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|guild| guild["id"].as_str().unwrap())
        .collect();
    let expected: Vec<String> = (0..=450).map(|n| (GUILD + n).to_string()).collect();
    assert_eq!(ids, expected);
    assert_eq!(reply.json["guilds"][7]["name"], "Guild 7");
    // Three pages of Discord's, and then none: a hit is one command.
    let before = asked(&app);
    app.endpoint.reset_meter();
    app.get("/api/guilds").await;
    assert_eq!((asked(&app), app.cost()), (before, (1 + CHECK, 1)));
}

#[tokio::test]
async fn a_guilds_channels_and_threads_are_listed_with_their_kinds_and_parents() {
    let app = TestApp::with_guild(sample::guild(1)).await;
    let listed = channels(&app).await;
    let found: Vec<Value> = listed
        .iter()
        .map(|channel| json!([channel["name"], channel["kind"], channel["parentId"]]))
        .collect();
    let forum = sample::FORUM_ID.to_string();
    let general = sample::GENERAL_ID.to_string();
    assert_eq!(
        json!(found),
        json!([
            ["general", "text", null],
            ["clips", "text", null],
            ["highlights", "announcement", null],
            ["guides", "forum", null],
            ["Lobby", "voice", null],
            ["staff", "text", null],
            ["old-clips", "text", null],
            ["quiet", "text", null],
            ["Tournament", "thread", general],
            ["Smokes on the new map", "thread", forum],
        ])
    );
    let codes = codes(&app).await;
    assert_eq!(codes["staff"], "channel_forbidden");
    assert_eq!(codes["old-clips"], "history_forbidden");
    let n_readable = codes.values().filter(|code| code.is_null()).count();
    assert_eq!(n_readable, 8);
}

#[tokio::test]
async fn once_cached_the_channels_and_their_scans_are_one_round_trip() {
    let app = TestApp::with_guild(guild_with(25, 5)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let path = format!("/api/guilds/{GUILD}/channels");
    let first = app.get(&path).await;
    let before = asked(&app);
    app.endpoint.reset_meter();

    let second = app.get(&path).await;

    // The cached channels, and three to read the records with the states of their jobs.
    assert_eq!((asked(&app), app.cost()), (before, (4 + CHECK, 1)));
    assert_eq!(first.json, second.json);
    let scan = &second.json["channels"][0]["scan"];
    crate::assert_has(
        scan,
        &json!({ "status": "SUCCEEDED", "messagesWithClips": 5, "messagesScanned": 25, "reachedStart": true }),
    );
}

#[tokio::test]
async fn a_guild_that_the_bot_is_not_in_has_no_channels() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let reply = app
        .get(&format!("/api/guilds/{}/channels", GUILD + 77))
        .await;
    assert_eq!(
        (reply.status, reply.text("/code")),
        (404, "guild_not_found")
    );
}

/// Channels with every kind of overwrite.
fn guarded() -> Guild {
    let text = |n: u64, name: &str| ChannelSpec::text(CHANNEL + n, name);
    let of_role = |allow, deny| Overwrite::role(ROLE, allow, deny);
    let everyone = |allow, deny| Overwrite::role(GUILD, allow, deny);
    let mut guild = Guild::empty(GUILD)
        .channel(text(1, "open"))
        .channel(text(2, "hidden").overwrite(everyone(0, VIEW_CHANNEL)))
        .channel(
            text(3, "for the role")
                .overwrite(of_role(VIEW_CHANNEL, 0))
                .overwrite(everyone(0, VIEW_CHANNEL)),
        )
        .channel(
            text(4, "not for the bot")
                .overwrite(Overwrite::bot(0, READ_MESSAGE_HISTORY))
                .overwrite(of_role(READ_MESSAGE_HISTORY, 0)),
        )
        .channel(
            text(5, "for the bot alone")
                .overwrite(of_role(0, VIEW_CHANNEL))
                .overwrite(Overwrite::bot(VIEW_CHANNEL, 0)),
        )
        .channel(text(6, "of another role").overwrite(Overwrite::role(ROLE + 1, 0, VIEW_CHANNEL)))
        .channel(ChannelSpec::voice(CHANNEL + 7, "voice").overwrite(everyone(0, CONNECT)))
        .channel(ChannelSpec::category(CHANNEL + 8, "category"))
        .channel(
            text(9, "short")
                .under(CHANNEL + 8)
                .access(Access::NoHistory),
        )
        .channel(ChannelSpec::thread(CHANNEL + 10, CHANNEL + 1, "thread"))
        .channel(ChannelSpec::private_thread(CHANNEL + 11, CHANNEL + 1, "private").joined());
    guild.can_manage_threads = false;
    guild.bot_roles = vec![ROLE];
    guild.roles = vec![Role {
        id: ROLE,
        name: "Bots".to_owned(),
        permissions: 0,
    }];
    for n in [1, 2, 3, 4, 5, 6, 7, 9, 10, 11] {
        guild.add_message(CHANNEL + n, MessageSpec::text("hello"));
    }
    guild
}

/// Compares what the list says with what the sample server then answers.
async fn compare(app: &TestApp) {
    for channel in channels(app).await {
        if channel["kind"] == "category" {
            continue;
        }
        let id = channel["id"].as_str().unwrap().parse().unwrap();
        let scan = app.scan(id, json!({})).await;
        app.drain().await;
        let job = app.job(&scan).await;
        let is_read = job["state"] == "completed";
        assert_eq!(channel["readable"], is_read, "{channel} {job}");
        if channel["unreadableCode"] == "history_forbidden" {
            assert_eq!(job["errorCode"], "history_forbidden");
        }
    }
}

#[tokio::test]
async fn what_the_bot_may_read_is_what_discord_lets_it_read() {
    let app = TestApp::with_guild(guarded()).await;
    let found = codes(&app).await;
    let expected = json!({
        "open": null, "hidden": "channel_forbidden", "for the role": null,
        "not for the bot": "history_forbidden", "for the bot alone": null,
        "of another role": null, "voice": "connect_forbidden", "category": null,
        "short": "history_forbidden", "thread": null, "private": null,
    });
    assert_eq!(json!(found), expected);
    compare(&app).await;
    app.leaves_failed(4);
}

#[tokio::test]
async fn an_administrator_reads_every_channel_and_a_bot_without_a_role_few() {
    let app = TestApp::with_guild(guarded()).await;
    app.discord
        .change_guild(|guild| guild.roles[0].permissions = ADMINISTRATOR);
    assert!(codes(&app).await.values().all(Value::is_null));
    compare(&app).await;

    app.discord.change_guild(|guild| {
        guild.bot_roles.clear();
        guild.everyone = EVERYONE & !READ_MESSAGE_HISTORY | MANAGE_THREADS;
    });
    let forget = app.path(&format!("/api/guilds/{GUILD}/cache"));
    let forget = app.http().delete(forget).bearer_auth(TestApp::ADMIN_KEY);
    assert_eq!(app.send_plain(forget).await.status, 204);
    let found = codes(&app).await;
    assert_eq!(found["open"], "history_forbidden");
    assert_eq!(found["for the role"], "channel_forbidden");
    assert_eq!(found["hidden"], "channel_forbidden");
    assert_eq!(found["voice"], "connect_forbidden");
    app.leaves_any_jobs();
}
