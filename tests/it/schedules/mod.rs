//! Schedules, from the route to the scan.

mod costs;
mod faults;
mod guild;
mod routes;
mod slots;
mod threads;

use std::time::Duration;

use integration::TestApp;
use serde_json::{Value, json};

use crate::scan::{CHANNEL, GUILD, guild_with};

const MINUTE: Duration = Duration::from_secs(60);

/// The path of a channel's schedule.
fn of_channel(channel: u64) -> String {
    format!("/api/guilds/{GUILD}/channels/{channel}/schedule")
}

/// A system whose channel is scanned every 15 minutes.
async fn scheduled() -> TestApp {
    let app = TestApp::with_guild(guild_with(30, 5)).await;
    every(&app, CHANNEL, 15).await;
    app
}

async fn every(app: &TestApp, channel: u64, minutes: u64) {
    let body = json!({ "everyMinutes": minutes });
    let reply = app.put(&of_channel(channel), &body).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
}

/// All jobs, the newest first.
async fn jobs(app: &TestApp) -> Vec<Value> {
    let reply = app.get("/api/jobs?limit=100").await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    reply.json["jobs"].as_array().unwrap().clone()
}

/// Messages of the channel as the status route counts them.
async fn scanned(app: &TestApp, channel: u64) -> Value {
    let path = format!("/api/guilds/{GUILD}/channels/{channel}/scan-status");
    app.get(&path).await.json["totalMessagesScanned"].clone()
}
