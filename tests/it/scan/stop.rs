//! A scan that is cancelled while it runs stops at the next page, or within two seconds.

use std::time::Duration;

use discord_local::{Action, Fault};
use integration::{Options, TestApp};
use serde_json::json;

use super::{CHANNEL, GUILD, guild_with};

async fn begin(app: &TestApp) -> (String, tokio::task::JoinHandle<()>) {
    let id = app.scan(CHANNEL, json!({})).await;
    let drain = app.functions.drain.clone();
    let running = tokio::spawn(async move {
        drain.handle(json!({}), 0).await.unwrap();
    });
    (id, running)
}

async fn until(done: impl AsyncFn() -> bool) {
    for _ in 0..1_000_000 {
        if done().await {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it did not happen");
}

async fn assert_cancelled(app: &TestApp, id: &str) {
    assert_eq!(app.job(id).await["state"], "cancelled");
    let stream = app.stream(id).await;
    assert_eq!(stream["currentState"]["status"], "CANCELLED");
    let status = format!("/api/guilds/{GUILD}/channels/{CHANNEL}/scan-status");
    assert_eq!(app.get(&status).await.json["status"], "CANCELLED");
}

#[tokio::test]
async fn a_cancelled_scan_reads_at_most_one_more_page() {
    let app = TestApp::with_guild(guild_with(3000, 10)).await;
    // It is cancelled while the fourth page is in flight.
    let held = Fault::once(Action::Delay(Duration::from_millis(300)));
    app.discord.faults().add(held.on("/messages").skip(3));
    let (id, running) = begin(&app).await;
    until(async || app.discord.requests().len() >= 5).await;
    assert_eq!(app.delete(&format!("/api/jobs/{id}")).await.status, 202);
    running.await.unwrap();
    assert_cancelled(&app, &id).await;
    assert_eq!(app.channel_total(CHANNEL).await, 400);
    // What was read is kept, and another scan continues.
    let next = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    assert_eq!(app.job(&next).await["returnvalue"]["messagesScanned"], 2600);
}

#[tokio::test]
async fn a_cancelled_scan_that_waits_for_its_next_page_stops_within_two_seconds() {
    let app = TestApp::start(Options {
        guild: guild_with(3000, 10),
        page_interval: Duration::from_secs(9),
        ..Options::default()
    })
    .await;
    let (id, running) = begin(&app).await;
    until(async || app.channel_total(CHANNEL).await == 100).await;
    app.endpoint.reset_meter();
    assert_eq!(app.delete(&format!("/api/jobs/{id}")).await.status, 202);
    until(async || {
        app.advance(Duration::from_millis(20));
        tokio::task::yield_now().await;
        running.is_finished() || app.clock.now_ms() > integration::START_MS + 2_500
    })
    .await;
    until(async || running.is_finished()).await;
    assert_cancelled(&app, &id).await;
    assert_eq!(app.channel_total(CHANNEL).await, 100);
}
