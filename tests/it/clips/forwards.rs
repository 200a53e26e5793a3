//! A forward repeats a clip. Both share one row, whichever is read first.

use std::collections::BTreeSet;

use discord_local::guild::{ChannelSpec, MessageSpec};
use discord_local::{Guild, Place, sample};
use integration::TestApp;
use serde_json::{Value, json};
use upstash_local::{Fault, FaultAction};

use super::all;
use crate::scan::{CHANNEL, FIRST_MS, GUILD, guild_with};

const OTHER: u64 = CHANNEL + 1;

const CHANNELS: [u64; 5] = [
    sample::GENERAL_ID,
    sample::CLIPS_ID,
    sample::HIGHLIGHTS_ID,
    sample::VOICE_ID,
    sample::FORUM_THREAD_ID,
];

type Row = (String, String);

/// The uploaded clips that must be listed: each in its own message, or, if only forwards
/// of it are known, in the oldest of these.
fn truth(guild: &Guild, channels: &[u64]) -> BTreeSet<Row> {
    let clips = || channels.iter().flat_map(|channel| guild.clips(*channel));
    let is_forward = |place: Place| place == Place::Forward;
    let originals: BTreeSet<u64> = clips()
        .filter(|clip| !is_forward(clip.place))
        .map(|clip| clip.attachment_id)
        .collect();
    let oldest = |id: u64| {
        clips()
            .filter(|c| c.attachment_id == id)
            .map(|c| c.message_id)
            .min()
    };
    clips()
        .filter(|clip| match is_forward(clip.place) {
            true => {
                !originals.contains(&clip.attachment_id)
                    && oldest(clip.attachment_id) == Some(clip.message_id)
            }
            false => true,
        })
        .map(|clip| (clip.message_id.to_string(), clip.attachment_id.to_string()))
        .collect()
}

fn row(clip: &Value) -> Row {
    let text = |field: &str| clip[field].as_str().unwrap().to_owned();
    (text("messageId"), text("id"))
}

/// The rows that the route lists, uploaded or linked, each once.
async fn listed(app: &TestApp, guild: u64, query: &str) -> BTreeSet<Row> {
    let clips = all(app, guild, query).await;
    let rows: BTreeSet<Row> = clips.iter().map(row).collect();
    assert_eq!(rows.len(), clips.len(), "a row is listed twice");
    rows
}

async fn assert_true(app: &TestApp, channels: &[u64], how: &str) {
    let guild = app.discord.guild();
    let is_link = |row: &Row| row.1.starts_with('e');
    let rows = listed(app, guild.id, "limit=100").await;
    let (links, uploads): (BTreeSet<Row>, BTreeSet<Row>) = rows.into_iter().partition(is_link);
    assert_eq!(uploads, truth(&guild, channels), "{how}");
    let mut by_channel = BTreeSet::new();
    for channel in channels {
        let query = format!("channelId={channel}&limit=100");
        let rows = listed(app, guild.id, &query).await;
        let messages: BTreeSet<&String> = rows.iter().map(|(message, _)| message).collect();
        assert_eq!(
            app.channel(*channel).await.message_count,
            messages.len() as u64,
            "{how}"
        );
        by_channel.extend(rows);
    }
    assert_eq!(
        by_channel,
        uploads.union(&links).cloned().collect(),
        "{how}"
    );
}

#[tokio::test]
async fn the_sample_guild_lists_each_clip_once_however_it_is_scanned() {
    let ways: [(&str, Value, Value); 3] = [
        ("newest first", json!({ "scanMode": "backfill" }), json!({})),
        (
            "from both sides",
            json!({ "options": { "maxMessages": 130 } }),
            json!({ "scanMode": "backfill" }),
        ),
        (
            "bit by bit",
            json!({ "scanMode": "backfill", "options": { "maxMessages": 77 } }),
            json!({}),
        ),
    ];
    for (how, first, second) in ways {
        let app = TestApp::with_guild(sample::guild(sample::DEFAULT_SEED)).await;
        if how == "bit by bit" {
            // Every request is sent to Redis twice.
            app.endpoint.faults().add(Fault {
                action: FaultAction::Duplicate,
                matching: Some("clip:records".to_owned()),
                skip: 0,
                times: 9999,
            });
        }
        for more in [first, second.clone(), second] {
            for channel in CHANNELS {
                app.scan(channel, more.clone()).await;
            }
            app.drain().await;
        }
        assert_true(&app, &CHANNELS, how).await;
    }
}

/// A channel with a clip, and another channel with two forwards of it.
fn forwarded() -> (Guild, u64, [u64; 2]) {
    let mut guild = guild_with(1, 1).channel(ChannelSpec::text(OTHER, "forwards"));
    let original = guild.message_ids(CHANNEL)[0];
    let forwards = [1, 2].map(|n| {
        let forward = guild.forward(CHANNEL, original).unwrap();
        guild.add_message(OTHER, forward.at_ms(FIRST_MS + n * 60_000))
    });
    (guild, original, forwards)
}

async fn scan(app: &TestApp, channel: u64) {
    app.scan(channel, json!({})).await;
    app.drain().await;
}

async fn messages(app: &TestApp) -> Vec<String> {
    let rows = listed(app, GUILD, "limit=100").await;
    rows.into_iter().map(|(message, _)| message).collect()
}

async fn counts(app: &TestApp) -> (u64, u64) {
    let of = async |channel| app.channel(channel).await.message_count;
    (of(CHANNEL).await, of(OTHER).await)
}

#[tokio::test]
async fn a_clip_is_listed_at_its_original_once_that_is_known_in_any_channel() {
    let (guild, original, forwards) = forwarded();
    for order in [[CHANNEL, OTHER, OTHER], [OTHER, CHANNEL, OTHER]] {
        let app = TestApp::with_guild(guild.clone()).await;
        for (n, channel) in order.into_iter().enumerate() {
            scan(&app, channel).await;
            let expected = match order[..=n].contains(&CHANNEL) {
                true => original,
                false => forwards[0],
            };
            assert_eq!(
                messages(&app).await,
                [expected.to_string()],
                "{order:?} {n}"
            );
        }
        assert_eq!(counts(&app).await, (1, 0));
        assert_true(&app, &[CHANNEL, OTHER], "forwarded").await;
        let found = app.get("/api/admin/counters?name=clips&period=day&limit=1");
        assert_eq!(found.await.status, 403);
    }
}

#[tokio::test]
async fn a_clip_whose_original_is_deleted_is_where_it_was_forwarded_first() {
    let (guild, original, forwards) = forwarded();
    let app = TestApp::with_guild(guild).await;
    scan(&app, OTHER).await;
    scan(&app, CHANNEL).await;
    app.discord.delete_message(CHANNEL, original);
    scan(&app, CHANNEL).await;
    assert_eq!(messages(&app).await, [forwards[0].to_string()]);
    assert_eq!(counts(&app).await, (0, 1));
    app.discord.delete_message(OTHER, forwards[0]);
    scan(&app, OTHER).await;
    assert_eq!(messages(&app).await, [forwards[1].to_string()]);
    app.discord.delete_message(OTHER, forwards[1]);
    scan(&app, OTHER).await;
    assert_eq!(
        (messages(&app).await.len(), counts(&app).await),
        (0, (0, 0))
    );
}

#[tokio::test]
async fn a_link_that_is_forwarded_is_one_row_and_one_that_is_posted_again_another() {
    let link = json!({ "type": "video", "url": "https://v.example/1", "video": { "url": "https://v.example/p" } });
    let mut guild = guild_with(0, 1);
    let first = guild.add_message(
        CHANNEL,
        MessageSpec::text("a").embed(link.clone()).at_ms(FIRST_MS),
    );
    let again = guild.add_message(
        CHANNEL,
        MessageSpec::text("b").embed(link).at_ms(FIRST_MS + 1000),
    );
    let forward = guild.forward(CHANNEL, first).unwrap();
    guild.add_message(CHANNEL, forward.at_ms(FIRST_MS + 2000));
    for mode in ["forward", "backfill"] {
        let app = TestApp::with_guild(guild.clone()).await;
        app.scan(CHANNEL, json!({ "scanMode": mode })).await;
        app.drain().await;
        assert_eq!(messages(&app).await, [first.to_string(), again.to_string()]);
        assert_eq!(app.channel(CHANNEL).await.message_count, 2);
    }
}

#[tokio::test]
async fn the_same_link_in_two_messages_is_a_row_of_each() {
    // The same video linked twice: one CDN URL with two signatures.
    let link = |signature: &str| {
        let url = format!("https://cdn.discordapp.com/attachments/1/2/a.mp4?ex={signature}");
        json!({ "type": "video", "url": url, "video": { "url": url } })
    };
    let mut guild = guild_with(0, 1);
    let posted: Vec<String> = ["1a", "1a", "2b"]
        .iter()
        .enumerate()
        .map(|(n, signature)| {
            let spec = MessageSpec::text("look").embed(link(signature));
            guild.add_message(CHANNEL, spec.at_ms(FIRST_MS + n as i64 * 1000))
        })
        .map(|id| id.to_string())
        .collect();
    let app = TestApp::with_guild(guild).await;
    let id = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let clips = all(&app, GUILD, "limit=1").await;
    assert_eq!(messages(&app).await, posted);
    assert!(clips.iter().all(|clip| clip["id"] == clips[0]["id"]));
    assert_eq!(app.channel(CHANNEL).await.message_count, 3);
    assert_eq!(app.job(&id).await["returnvalue"]["clipsFound"], 3);
}
