//! Notices, from the webhook's address to the request that it gets.

mod faults;
mod receiver;
mod routes;
mod sending;

use std::time::Duration;

use integration::{Options, Reply, TestApp};
use serde_json::{Value, json};
use shared::config::DrainConfig;
use shared::outbound::Hosts;

use crate::scan::{GUILD, guild_with};
use receiver::Receiver;

const MINUTE: Duration = Duration::from_secs(60);

fn path() -> String {
    format!("/api/guilds/{GUILD}/notices")
}

/// A system whose webhooks may be on this machine.
async fn system() -> TestApp {
    TestApp::start(Options {
        guild: guild_with(30, 5),
        drain: DrainConfig {
            webhook_hosts: Hosts::listed("127.0.0.1").unwrap(),
            ..DrainConfig::default()
        },
        ..Options::default()
    })
    .await
}

/// Sends the notices of the guild to the receiver. Returns the secret.
async fn subscribe(app: &TestApp, receiver: &Receiver, topics: &Value) -> String {
    let body = json!({ "url": receiver.url(), "topics": topics });
    let reply: Reply = app.put(&path(), &body).await;
    assert_eq!(reply.status, 200, "{}", reply.json);
    reply.text("/secret").to_owned()
}

fn everything() -> Value {
    json!(["scanFinished", "scanFailed", "newClips"])
}
