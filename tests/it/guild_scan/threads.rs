//! Threads of every kind, and how seldom Discord is asked for them.

use std::time::Duration;

use discord_local::Guild;
use discord_local::guild::{ChannelSpec, MessageSpec};
use integration::TestApp;
use serde_json::json;

use super::{scan_all, statuses};
use crate::scan::{CHANNEL, GUILD};

const THREAD: u64 = CHANNEL + 1000;
const ARCHIVED_MS: i64 = 1_780_000_000_000;

fn archived(n: u64, spec: ChannelSpec) -> ChannelSpec {
    spec.archived_at_ms(ARCHIVED_MS + n as i64 * 1000)
}

fn public(n: u64) -> ChannelSpec {
    ChannelSpec::thread(THREAD + n, CHANNEL, &format!("t{n}"))
}

/// A channel with these threads, each with a message.
fn guild_with_threads(threads: Vec<ChannelSpec>) -> Guild {
    let mut guild = Guild::empty(GUILD).channel(ChannelSpec::text(CHANNEL, "clips"));
    guild.add_message(CHANNEL, MessageSpec::text("hello"));
    for thread in threads {
        guild.add_channel(thread);
    }
    let ids: Vec<u64> = guild.channels().map(|channel| channel.id).collect();
    for id in ids.into_iter().filter(|id| *id >= THREAD) {
        guild.add_message(id, MessageSpec::video("clip.mp4"));
    }
    guild
}

/// How often lists of archived threads were asked for.
fn lists_asked(app: &TestApp) -> usize {
    let requests = app.discord.requests();
    let archived = requests
        .iter()
        .filter(|request| request.path.contains("/archived/"));
    archived.count()
}

#[tokio::test]
async fn archived_threads_are_found_however_many_pages_they_take() {
    let mut threads: Vec<ChannelSpec> = (0..250).map(|n| archived(n, public(n))).collect();
    // Private ones are ordered by id where the bot must have been added to them.
    threads.extend((300..410).map(|n| {
        let thread = ChannelSpec::private_thread(THREAD + n, CHANNEL, &format!("p{n}"));
        archived(1000 - n, thread.joined())
    }));
    for may_manage in [true, false] {
        let mut guild = guild_with_threads(threads.clone());
        guild.can_manage_threads = may_manage;
        let app = TestApp::with_guild(guild).await;
        let shown = scan_all(&app, &json!({})).await;
        assert_eq!(shown["counts"]["succeeded"], 1 + 250 + 110, "{may_manage}");
        assert_eq!(shown["clipsFound"], 360);
        assert_eq!(lists_asked(&app), 3 + 2);
    }
}

#[tokio::test]
async fn private_threads_are_read_where_the_bot_may_and_public_ones_of_every_kind_of_channel() {
    let kinds = [(5, "news"), (15, "forum"), (16, "media")];
    let mut threads = vec![
        archived(
            1,
            ChannelSpec::private_thread(THREAD + 1, CHANNEL, "closed"),
        ),
        archived(
            2,
            ChannelSpec::private_thread(THREAD + 2, CHANNEL, "joined").joined(),
        ),
        ChannelSpec::private_thread(THREAD + 3, CHANNEL, "open, closed"),
        ChannelSpec::private_thread(THREAD + 4, CHANNEL, "open, joined").joined(),
    ];
    for (n, (kind, name)) in kinds.into_iter().enumerate() {
        let parent = CHANNEL + 1 + n as u64;
        threads.push(ChannelSpec::of_kind(kind, parent, name));
        let id = THREAD + 10 + n as u64;
        let thread = ChannelSpec::thread(id, parent, &format!("of {name}"));
        threads.push(archived(5 + n as u64, thread));
    }
    let mut guild = guild_with_threads(threads);
    guild.can_manage_threads = false;
    let app = TestApp::with_guild(guild).await;
    let found: Vec<String> = statuses(&scan_all(&app, &json!({})).await)
        .into_keys()
        .collect();
    let expected = [
        "clips",
        "joined",
        "news",
        "of forum",
        "of media",
        "of news",
        "open, joined",
    ];
    assert_eq!(found, expected);

    // With MANAGE_THREADS it sees all of them.
    app.discord
        .change_guild(|guild| guild.can_manage_threads = true);
    app.advance(Duration::from_secs(1000));
    let shown = scan_all(&app, &json!({})).await;
    assert_eq!(statuses(&shown)["closed"], "SUCCEEDED", "{shown}");
    assert_eq!(statuses(&shown)["open, closed"], "SUCCEEDED");
}

#[tokio::test]
async fn archived_threads_that_were_read_are_not_asked_for_again() {
    let threads = (0..150).map(|n| archived(n, public(n))).collect();
    let app = TestApp::with_guild(guild_with_threads(threads)).await;
    scan_all(&app, &json!({})).await;
    // Two pages of public ones, one of private ones.
    assert_eq!(lists_asked(&app), 3);

    // For a quarter of an hour the lists are believed.
    app.discord.clear_requests();
    app.clock.now_ms();
    let again = super::begin(&app, &json!({})).await;
    app.drain().await;
    app.advance(Duration::from_secs(3));
    super::finish(&app, &again).await;
    assert_eq!(lists_asked(&app), 0);

    // Later, only what was archived since is read: one page of each list.
    app.discord.change_guild(|guild| {
        guild.add_channel(archived(1000, public(777)));
        guild.add_message(THREAD + 777, MessageSpec::video("new.mp4"));
    });
    app.advance(Duration::from_secs(900));
    let shown = scan_all(&app, &json!({})).await;
    assert_eq!(lists_asked(&app), 2);
    assert_eq!(
        json!(statuses(&shown)),
        json!({ "clips": "SUCCEEDED", "t777": "SUCCEEDED" })
    );
    // A backfill may have more to read in every thread.
    let shown = scan_all(&app, &json!({ "scanMode": "backfill" })).await;
    assert_eq!(shown["counts"]["succeeded"], 152);
}

#[tokio::test]
async fn threads_whose_scan_failed_are_listed_again() {
    let threads = (0..3).map(|n| archived(n, public(n))).collect();
    let app = TestApp::with_guild(guild_with_threads(threads)).await;
    let hide = |access| {
        app.discord.change_guild(|guild| {
            let thread = archived(1, public(1)).access(access);
            guild.add_channel(thread);
            guild.add_message(THREAD + 1, MessageSpec::video("clip.mp4"));
        });
    };
    app.discord.faults().add(
        discord_local::Fault::always(discord_local::Action::Status(404))
            .on(&format!("/channels/{}", THREAD + 1)),
    );
    let shown = scan_all(&app, &json!({})).await;
    assert_eq!(shown["status"], "FAILED");
    app.discord.faults().clear();
    hide(discord_local::Access::Full);
    app.advance(Duration::from_secs(1000));

    let shown = scan_all(&app, &json!({})).await;

    assert_eq!(statuses(&shown)["t1"], "SUCCEEDED");
    app.leaves_any_jobs();
}

#[tokio::test]
async fn the_next_forward_scan_of_a_channel_finds_its_new_threads() {
    let app =
        TestApp::with_guild(guild_with_threads(vec![public(1), archived(2, public(2))])).await;
    let include = json!({ "options": { "includeThreads": "all" } });
    let total = async |n: u64| app.channel_total(THREAD + n).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(
        (total(1).await, total(2).await),
        (0, 0),
        "threads were not asked for"
    );

    app.scan(CHANNEL, include.clone()).await;
    for _ in 0..3 {
        app.drain().await;
        app.advance(Duration::from_secs(61));
    }
    assert_eq!((total(1).await, total(2).await), (1, 1));
    assert_eq!(
        app.channel(THREAD + 1).await.parent_id,
        Some(CHANNEL.to_string())
    );

    // A new thread, and a new message in an old one.
    app.discord
        .change_guild(|guild| guild.add_channel(public(3)));
    app.discord
        .add_message(THREAD + 3, MessageSpec::video("new.mp4"));
    app.discord
        .add_message(THREAD + 1, MessageSpec::video("newer.mp4"));
    app.discord.clear_requests();
    app.scan(CHANNEL, include).await;
    for _ in 0..3 {
        app.drain().await;
        app.advance(Duration::from_secs(61));
    }
    assert_eq!((total(1).await, total(2).await, total(3).await), (2, 1, 1));
    // Nothing was posted in the archived one, so nobody looked.
    let old = format!("/channels/{}/messages", THREAD + 2);
    let requests = app.discord.requests();
    assert!(!requests.iter().any(|request| request.path.contains(&old)));
}
