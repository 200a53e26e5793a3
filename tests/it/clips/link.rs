//! `GET /api/clips/{channelId}/{clipId}` and `…/play`.

use std::time::Duration;

use discord_local::guild::MessageSpec;
use discord_local::{Action, Fault};
use futures_util::future::join_all;
use integration::{Options, Reply, TestApp};
use serde_json::{Value, json};

use super::{OTHER, all};
use crate::limits::CHECK;
use crate::scan::{CHANNEL, FIRST_MS, GUILD, guild_with};

const DAY: Duration = Duration::from_secs(26 * 3600);

/// A scanned channel of ten clips, of which the last is on another site.
async fn system() -> TestApp {
    let mut guild = guild_with(9, 1);
    let url = "https://www.youtube.com/watch?v=dQw4w9WgXcQ";
    let embed = json!({ "type": "video", "url": url, "provider": { "name": "YouTube" },
        "video": { "url": "https://www.youtube.com/embed/dQw4w9WgXcQ" } });
    let at = FIRST_MS + 20 * 60_000;
    guild.add_message(CHANNEL, MessageSpec::text("see").at_ms(at).embed(embed));
    let app = TestApp::start(Options {
        guild,
        probes: Some(Duration::from_secs(5)),
        ..Options::default()
    })
    .await;
    app.leaves_any_jobs();
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    app
}

fn path(clip: &Value) -> String {
    let id = clip["id"].as_str().unwrap();
    format!("/api/clips/{CHANNEL}/{id}")
}

async fn listed(app: &TestApp) -> Vec<Value> {
    let clips = all(app, GUILD, "limit=100").await;
    assert_eq!(clips.len(), 10);
    clips
}

fn messages_asked(app: &TestApp) -> usize {
    let seen = app.discord.requests();
    seen.iter()
        .filter(|seen| format!("{seen:?}").contains("/messages/"))
        .count()
}

/// What the CDN answers at an address.
async fn fetched(app: &TestApp, url: &str) -> u16 {
    let reply = app.http().get(url).send().await.unwrap();
    reply.status().as_u16()
}

fn code(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.text("/code"))
}

#[tokio::test]
async fn a_clip_is_found_by_its_id_alone_or_together_with_its_message() {
    let app = system().await;
    for clip in listed(&app).await {
        let alone = app.get(&path(&clip)).await;
        assert_eq!((alone.status, &alone.json), (200, &clip));
        let message = clip["messageId"].as_str().unwrap();
        let named = format!("{}?messageId={message}", path(&clip));
        app.endpoint.reset_meter();
        let named = app.get(&named).await;
        assert_eq!((named.status, &named.json), (200, &clip));
        assert_eq!(app.cost(), (1 + CHECK, 1));
    }
}

#[tokio::test]
async fn what_is_not_a_clip_of_the_channel_is_404() {
    let app = system().await;
    let clips = listed(&app).await;
    let id = clips[1]["id"].as_str().unwrap();
    let message = clips[2]["messageId"].as_str().unwrap();
    for path in [
        format!("/api/clips/{OTHER}/{id}"),
        format!("/api/clips/{CHANNEL}/1999999999999999999"),
        format!("/api/clips/{CHANNEL}/{id}?messageId={message}"),
        format!("/api/clips/{CHANNEL}/e0123456789abcdef/play"),
    ] {
        assert_eq!(
            code(&app.get(&path).await),
            (404, "clip_not_found"),
            "{path}"
        );
    }
    for path in [
        format!("/api/clips/{CHANNEL}/0{id}"),
        format!("/api/clips/{CHANNEL}/clip"),
        format!("/api/clips/0/{id}"),
        format!("/api/clips/{CHANNEL}/{id}?messageId=5"),
        format!("/api/clips/{CHANNEL}/{id}?message=5"),
    ] {
        assert_eq!(app.get(&path).await.status, 400, "{path}");
    }
}

#[tokio::test]
async fn an_expired_link_is_replaced_and_discord_is_asked_once_for_all_callers() {
    let app = system().await;
    let clip = listed(&app).await.swap_remove(3);
    let old = clip["url"].as_str().unwrap().to_owned();
    assert_eq!(fetched(&app, &old).await, 200);
    app.advance(DAY);
    assert_eq!(fetched(&app, &old).await, 404);
    let in_list = listed(&app).await.swap_remove(3);
    assert_eq!(in_list["url"], Value::Null);

    app.discord.clear_requests();
    let path_of = path(&clip);
    let calls = (0..20).map(|_| app.get(&path_of));
    let replies = join_all(calls).await;
    assert_eq!(messages_asked(&app), 1);
    let urls: Vec<&str> = replies.iter().map(|reply| reply.text("/url")).collect();
    assert!(urls.iter().all(|url| *url == urls[0] && *url != old));
    assert_eq!(fetched(&app, urls[0]).await, 200);

    // It is kept until shortly before it expires.
    app.advance(Duration::from_secs(23 * 3600));
    app.get(&path(&clip)).await;
    assert_eq!(messages_asked(&app), 1);
    app.advance(Duration::from_secs(3 * 3600));
    let again = app.get(&path(&clip)).await;
    assert_eq!((again.status, messages_asked(&app)), (200, 2));
    assert_eq!(fetched(&app, again.text("/url")).await, 200);
}

#[tokio::test]
async fn playing_goes_to_a_file_that_is_there_and_never_to_another_site() {
    let app = system().await;
    let clips = listed(&app).await;
    for wait in [Duration::ZERO, DAY] {
        app.advance(wait);
        let uploaded = clips.iter().filter(|clip| clip["source"] == "attachment");
        for clip in uploaded {
            let reply = app.get(&format!("{}/play", path(clip))).await;
            assert_eq!((reply.status, &reply.json), (302, &Value::Null));
            let location = reply.header("location").unwrap();
            assert_eq!(fetched(&app, location).await, 200);
        }
    }
    let external = clips.iter().find(|clip| clip["source"] == "embed").unwrap();
    let reply = app.get(&format!("{}/play", path(external))).await;
    assert_eq!(code(&reply), (409, "clip_external"));
    let shown = app.get(&path(external)).await;
    assert_eq!(shown.json["url"], external["url"]);
}

#[tokio::test]
async fn a_file_on_a_host_that_is_not_listed_is_not_redirected_to() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let clip = &all(&app, GUILD, "limit=100").await[0];
    let reply = app.get(&format!("{}/play", path(clip))).await;
    assert_eq!(code(&reply), (409, "clip_external"));
}

#[tokio::test]
async fn a_posted_link_that_has_expired_is_left_out_and_discord_is_not_asked() {
    let mut guild = guild_with(0, 1);
    let ends = integration::START_MS / 1000 + 3600;
    let url = format!("https://cdn.discordapp.com/attachments/1/2/a.mp4?ex={ends:x}&is=1&hm=2&");
    let embed = json!({ "type": "video", "url": url, "video": { "url": url } });
    guild.add_message(
        CHANNEL,
        MessageSpec::text("see").at_ms(FIRST_MS).embed(embed),
    );
    let app = TestApp::with_guild(guild).await;
    app.leaves_any_jobs();
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let clip = all(&app, GUILD, "limit=100").await.swap_remove(0);
    assert_eq!(app.get(&path(&clip)).await.json["url"], json!(url));
    app.advance(DAY);
    app.discord.clear_requests();
    let later = app.get(&path(&clip)).await;
    assert_eq!((later.status, &later.json["url"]), (200, &Value::Null));
    assert_eq!(messages_asked(&app), 0);
}

#[tokio::test]
async fn a_clip_whose_message_was_deleted_is_gone_and_discord_is_asked_once_a_minute() {
    let app = system().await;
    let clip = listed(&app).await.swap_remove(2);
    app.advance(DAY);
    let message = clip["messageId"].as_str().unwrap().parse().unwrap();
    assert!(app.discord.delete_message(CHANNEL, message));
    app.discord.clear_requests();
    for route in ["", "/play", ""] {
        let reply = app.get(&format!("{}{route}", path(&clip))).await;
        assert_eq!(code(&reply), (404, "clip_gone"));
    }
    assert_eq!(messages_asked(&app), 1);
}

#[tokio::test]
async fn without_discord_a_link_that_works_is_handed_out_and_an_expired_one_is_503() {
    let app = system().await;
    let clip = listed(&app).await.swap_remove(2);
    let away = || Fault::once(Action::Status(503)).on("/messages/");
    app.discord.faults().add(away());
    assert_eq!(app.get(&path(&clip)).await.status, 200);
    app.advance(DAY);
    let reply = app.get(&path(&clip)).await;
    assert_eq!(code(&reply), (503, "discord_unavailable"));
    assert!(reply.header("retry-after").is_some());
    assert_eq!(app.get(&path(&clip)).await.status, 200);
}
