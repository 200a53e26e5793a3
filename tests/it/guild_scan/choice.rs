//! Which channels a guild scan reads.

use discord_local::guild::{ChannelSpec, MessageSpec};
use discord_local::{Action, Fault, Scope};
use integration::TestApp;
use serde_json::{Value, json};

use super::{begin, finish, guild_of, scan_all, statuses};
use crate::scan::{CHANNEL, GUILD};

const CATEGORY: u64 = CHANNEL + 100;
const FORUM: u64 = CHANNEL + 101;
const GUIDE: u64 = CHANNEL + 102;
const OLD_GUIDE: u64 = CHANNEL + 103;
const TALK: u64 = CHANNEL + 104;

/// Two channels, one of them in a category, with a thread; and a forum with an active and an
/// archived thread.
async fn system() -> TestApp {
    let mut guild = guild_of(1)
        .channel(ChannelSpec::category(CATEGORY, "a category"))
        .channel(ChannelSpec::text(CHANNEL + 1, "grouped").under(CATEGORY))
        .channel(ChannelSpec::thread(TALK, CHANNEL + 1, "talk"))
        .channel(ChannelSpec::forum(FORUM, "forum"))
        .channel(ChannelSpec::thread(GUIDE, FORUM, "guide"))
        .channel(
            ChannelSpec::thread(OLD_GUIDE, FORUM, "old guide").archived_at_ms(1_780_000_000_000),
        );
    for channel in [CHANNEL + 1, TALK, GUIDE, OLD_GUIDE] {
        guild.add_message(channel, MessageSpec::text("hello"));
    }
    TestApp::with_guild(guild).await
}

async fn chosen(app: &TestApp, body: Value) -> Value {
    json!(statuses(&scan_all(app, &body).await))
}

const READ: &str = "SUCCEEDED";

#[tokio::test]
async fn threads_are_included_as_the_request_or_the_settings_say() {
    let app = system().await;
    let threads = |word: &str| json!({ "options": { "includeThreads": word } });
    let none = json!({ "c0": READ, "grouped": READ, "forum": "channel_unsupported" });
    assert_eq!(chosen(&app, threads("none")).await, none);
    let active = json!({ "c0": READ, "grouped": READ, "talk": READ, "guide": READ });
    assert_eq!(chosen(&app, threads("active")).await, active);
    let all =
        json!({ "c0": READ, "grouped": READ, "talk": READ, "guide": READ, "old guide": READ });
    assert_eq!(chosen(&app, json!({})).await, all);

    let settings = format!("/api/guilds/{GUILD}/settings");
    for (setting, request, expected) in [
        (json!("active"), json!({}), &active),
        (json!("active"), threads("none"), &none),
        (json!("none"), json!({}), &none),
        // Where the settings include none, no scan reads a thread.
        (json!("none"), threads("all"), &none),
        // As it was written before there were words.
        (json!(false), json!({}), &none),
    ] {
        let body = json!({ "includeThreads": setting });
        assert_eq!(app.put(&settings, &body).await.status, 200);
        assert_eq!(&chosen(&app, request).await, expected, "{setting}");
    }
}

#[tokio::test]
async fn channels_are_included_and_excluded_by_their_own_id_or_their_parents() {
    let app = system().await;
    let id = |id: u64| id.to_string();
    let filter = |include: Value, exclude: Value| {
        let mut channels = json!({});
        if !include.is_null() {
            channels["include"] = include;
        }
        if !exclude.is_null() {
            channels["exclude"] = exclude;
        }
        json!({ "channels": channels })
    };
    for (body, expected) in [
        (
            filter(json!([id(CHANNEL)]), Value::Null),
            json!({ "c0": READ }),
        ),
        (
            filter(json!([id(CATEGORY)]), Value::Null),
            json!({ "grouped": READ, "talk": READ }),
        ),
        (
            filter(json!([id(GUIDE)]), Value::Null),
            json!({ "guide": READ }),
        ),
        (
            filter(Value::Null, json!([id(CATEGORY), id(OLD_GUIDE)])),
            json!({ "c0": READ, "guide": READ }),
        ),
        (
            filter(json!([id(CATEGORY)]), json!([id(TALK)])),
            json!({ "grouped": READ }),
        ),
        (
            filter(Value::Null, json!([id(CHANNEL), id(FORUM)])),
            json!({ "grouped": READ, "talk": READ }),
        ),
        (
            filter(json!([id(CHANNEL), id(CHANNEL + 999)]), Value::Null),
            json!({ "c0": READ, "?": "channel_not_found" }),
        ),
    ] {
        assert_eq!(chosen(&app, body.clone()).await, expected, "{body}");
    }
}

#[tokio::test]
async fn a_channel_that_the_settings_exclude_is_left_out_with_its_threads() {
    let app = system().await;
    let settings = json!({ "excludedChannelIds": [FORUM.to_string(), CHANNEL.to_string()] });
    app.put(&format!("/api/guilds/{GUILD}/settings"), &settings)
        .await;
    let out = "channel_excluded";
    let expected = json!({ "c0": out, "forum": out, "guide": out, "grouped": READ, "talk": READ });
    assert_eq!(chosen(&app, json!({})).await, expected);
}

#[tokio::test]
async fn options_and_priority_are_those_of_every_channels_scan() {
    let app = TestApp::with_guild(guild_of(2)).await;
    let options = json!({ "maxMessages": 10, "minVideoSeconds": 5 });
    let body = json!({ "scanMode": "backfill", "options": options, "priority": 7 });
    let shown = scan_all(&app, &body).await;
    for channel in shown["channels"].as_array().unwrap() {
        let job = app.job(channel["scanId"].as_str().unwrap()).await;
        assert_eq!(job["data"]["scanMode"], "backfill");
        let expected = json!({ "maxMessages": 10, "minVideoSeconds": 5.0 });
        assert_eq!(job["data"]["options"], expected);
        assert_eq!(
            (&job["priority"], &channel["messagesScanned"]),
            (&json!(7), &json!(10))
        );
    }
}

#[tokio::test]
async fn the_same_request_twice_at_once_is_one_scan_and_shares_the_scans_of_others() {
    let app = TestApp::with_guild(guild_of(3)).await;
    let limited = Action::RateLimited {
        scope: Scope::User,
        retry_after_secs: 600.0,
    };
    app.discord
        .faults()
        .add(Fault::once(limited).on("/messages"));
    let before = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let path = format!("/api/guilds/{GUILD}/scan");
    let ids = |list: [u64; 2]| json!({ "channels": { "include": list.map(|id| id.to_string()) } });
    let (one, other) = (ids([CHANNEL, CHANNEL + 1]), ids([CHANNEL + 1, CHANNEL]));
    let (first, second) = tokio::join!(app.post(&path, &one), app.post(&path, &other));
    assert_eq!(first.json["scanId"], second.json["scanId"]);
    assert_ne!(first.json["duplicate"], second.json["duplicate"]);
    // Other channels are another scan.
    let all = begin(&app, &json!({})).await;
    assert_ne!(first.json["scanId"], all);

    let part = finish(&app, first.text("/scanId")).await;
    let all = finish(&app, &all).await;

    assert_eq!(part["counts"]["succeeded"], 2);
    assert_eq!(all["counts"]["succeeded"], 3);
    let of = |shown: &Value, n: usize, field: &str| shown["channels"][n][field].clone();
    // The scan that somebody requested before stands for both.
    assert_eq!(
        (of(&part, 0, "scanId"), of(&part, 0, "shared")),
        (json!(before), json!(true))
    );
    assert_eq!(of(&all, 0, "scanId"), json!(before));
    assert_eq!(of(&all, 1, "scanId"), of(&part, 1, "scanId"));
    assert_eq!(app.channel(CHANNEL).await.total_messages_scanned, 30);
}

#[tokio::test]
async fn a_guild_in_which_nothing_can_be_read_fails_and_says_so() {
    let hidden = ChannelSpec::text(CHANNEL, "secret").access(discord_local::Access::Hidden);
    let app = TestApp::with_guild(discord_local::Guild::empty(GUILD).channel(hidden)).await;
    let shown = scan_all(&app, &json!({})).await;
    assert_eq!(
        (&shown["status"], &shown["errorCode"]),
        (&json!("FAILED"), &json!("channels_unreadable"))
    );

    let reply = app
        .post(&format!("/api/guilds/{}/scan", GUILD + 1), &json!({}))
        .await;
    app.drain().await;
    let job = app.job(reply.text("/scanId")).await;
    assert_eq!(
        (&job["state"], &job["errorCode"]),
        (&json!("failed"), &json!("guild_not_found"))
    );
    app.leaves_failed(2);
}
