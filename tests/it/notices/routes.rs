//! What the routes of notices accept, refuse and show.

use serde_json::{Value, json};

use super::{Receiver, everything, path, subscribe, system};
use crate::scan::{GUILD, guild_with};
use integration::TestApp;

#[tokio::test]
async fn neither_the_address_nor_the_secret_is_shown_again() {
    let (app, receiver) = (system().await, Receiver::start().await);
    let secret = subscribe(&app, &receiver, &everything()).await;
    assert!(secret.len() > 40);
    let shown = app.get(&path()).await;
    assert_eq!(shown.json["kind"], "signed");
    assert_eq!(shown.json["host"], "127.0.0.1");
    assert_eq!(shown.json["topics"], everything());
    let text = shown.json.to_string();
    for hidden in [secret.as_str(), "t0ps3cret", "hook"] {
        assert!(!text.contains(hidden), "{text}");
    }
    let again = subscribe(&app, &receiver, &everything()).await;
    assert_ne!(again, secret);
    assert_eq!(app.delete(&path()).await.status, 204);
    assert_eq!(app.get(&path()).await.json["kind"], Value::Null);
    assert_eq!(app.delete(&path()).await.status, 204);
}

#[tokio::test]
async fn a_webhook_of_discord_has_no_secret() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let body = json!({ "url": "https://discord.com/api/webhooks/12345/t0ken" });
    let reply = app.put(&path(), &body).await;
    assert_eq!(
        (reply.status, &reply.json["kind"]),
        (200, &json!("discord"))
    );
    assert_eq!(reply.json["secret"], Value::Null);
    assert!(!reply.json.to_string().contains("t0ken"));
}

#[tokio::test]
async fn an_address_inside_our_network_is_refused() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    for url in [
        "",
        "hook",
        "http://example.com/hook",
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://10.0.0.7/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/hook",
        "https://0x7f.1/hook",
        "https://user:pass@example.com/hook",
        "https://example.com:22/hook",
        "ftp://example.com/hook",
        "file:///etc/passwd",
    ] {
        // A name such as `localhost` is refused when it is resolved.
        if url.contains("localhost") {
            continue;
        }
        let reply = app.put(&path(), &json!({ "url": url })).await;
        assert_eq!(reply.status, 400, "{url}");
        assert_eq!(reply.text("/errors/0/pointer"), "/url", "{url}");
    }
    assert_eq!(app.get(&path()).await.json["kind"], Value::Null);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let app = system().await;
    let long = format!("https://example.com/{}", "x".repeat(1000));
    for (body, pointer) in [
        (json!({}), "/url"),
        (json!({ "url": 5 }), "/url"),
        (json!({ "url": long }), "/url"),
        (
            json!({ "url": "http://127.0.0.1/a", "topics": [] }),
            "/topics",
        ),
        (
            json!({ "url": "http://127.0.0.1/a", "topics": ["scans"] }),
            "/topics/0",
        ),
        (
            json!({ "url": "http://127.0.0.1/a", "secret": "x" }),
            "/secret",
        ),
    ] {
        let reply = app.put(&path(), &body).await;
        assert_eq!(reply.status, 400, "{body}");
        assert_eq!(reply.text("/errors/0/pointer"), pointer, "{body}");
    }
    let elsewhere = format!("/api/guilds/{}/notices", GUILD + 77);
    let body = json!({ "url": "http://127.0.0.1/a" });
    assert_eq!(app.put(&elsewhere, &body).await.status, 404);
}
