//! The development host against other software on the same machine: pages of other sites
//! and programs without a key.

use std::time::Duration;

use integration::{Options, Reply, TestApp};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::scan::{CHANNEL, guild_with};

const INVOKE: &str = "/2015-03-31/functions/drain/invocations";

/// Headers that a browser sends for a page of another site.
const FOREIGN: [(&str, &str); 5] = [
    ("host", "evil.example"),
    ("host", "localhost.evil.example:3000"),
    ("origin", "https://evil.example"),
    ("origin", "null"),
    ("sec-fetch-site", "cross-site"),
];

#[tokio::test]
async fn a_page_of_another_site_runs_nothing_even_with_a_key() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let guild = app.discord.guild().id.to_string();
    let body = json!({ "guildId": guild, "channelId": CHANNEL.to_string() });
    for (name, value) in FOREIGN {
        for request in [
            app.http().post(app.path("/api/jobs/scan")).json(&body),
            app.http().get(app.path("/api/jobs")),
            app.http().get(app.path("/openapi.json")),
            app.http().post(app.path(INVOKE)).json(&json!({})),
        ] {
            let reply = app.send(request.header(name, value)).await;
            assert_eq!(reply.status, 403, "{name}: {value}");
        }
    }
    let refused = app
        .send(
            app.http()
                .get(app.path("/api/jobs"))
                .header("origin", "https://evil.example"),
        )
        .await;
    assert_eq!(refused.text("/code"), "foreign_origin");
    assert_eq!(
        refused.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(app.endpoint.meter().total, 0);
}

#[tokio::test]
async fn an_allowed_origin_may_not_use_the_invoke_call() {
    let app = TestApp::start(Options {
        origins: vec!["*".to_owned()],
        ..Options::default()
    })
    .await;
    let from = |path: &str| {
        let request = app.http().post(app.path(path)).json(&json!({}));
        request
            .header("origin", "https://clips.example")
            .header("sec-fetch-site", "cross-site")
    };
    assert_eq!(app.send(from("/api/jobs/scan")).await.status, 400);
    assert_eq!(app.send(from(INVOKE)).await.status, 403);
}

#[tokio::test]
async fn the_invoke_call_wants_a_header_that_no_form_can_send() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let invoke = || app.http().post(app.path(INVOKE)).body("{}");
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let request = match kind {
            Some(kind) => invoke().header("content-type", kind),
            None => invoke(),
        };
        assert_eq!(app.send_plain(request).await.status, 403, "{kind:?}");
    }
    assert_eq!(app.endpoint.meter().total, 0);
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-amz-invocation-type", "RequestResponse"),
        ("authorization", "AWS4-HMAC-SHA256 Credential=local"),
    ] {
        let reply = app.send_plain(invoke().header(name, value)).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.json);
    }
}

/// Sends a request head that announces a body, and reads until the connection is closed.
async fn promise(app: &TestApp, path: &str, headers: &str) -> String {
    let address = app.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         {headers}Content-Length: 5000000\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    String::from_utf8_lossy(&reply).into_owned()
}

#[tokio::test]
async fn the_body_of_somebody_without_a_key_is_not_waited_for() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    for (path, headers, status) in [
        ("/api/jobs/scan", "", "401"),
        (
            "/api/jobs/scan",
            "Authorization: Bearer wrong-key-0123456789\r\n",
            "401",
        ),
        (
            "/api/jobs/scan",
            "Cookie: session=api.made-up.seal\r\n",
            "401",
        ),
        ("/api/nothing", "", "404"),
        // A caller who signs in has no key yet and needs to send only a few bytes.
        ("/api/sessions", "", "413"),
    ] {
        let reply = promise(&app, path, headers).await;
        assert!(
            reply.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path} {headers}: {reply}"
        );
    }
    // The wrong key was counted.
    assert!(app.endpoint.meter().total <= 4);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_within_ten_seconds_closes_the_connection() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let addresses = [app.url.clone(), app.discord.cdn_url()];
    for address in addresses {
        for sent in ["", "GET /api/jobs HTTP/1.1\r\nHost: local"] {
            let began = tokio::time::Instant::now();
            let address = address.trim_start_matches("http://");
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(sent.as_bytes()).await.unwrap();
            let mut reply = Vec::new();
            let _ = stream.read_to_end(&mut reply).await;
            let took = began.elapsed();
            let expected = Duration::from_secs(9)..Duration::from_secs(12);
            assert!(expected.contains(&took), "{sent:?} after {took:?}");
        }
    }
}

#[tokio::test]
async fn a_corrected_clock_is_reported_at_once() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let date = async || {
        let reply: Reply = app.get("/api/jobs").await;
        reply.header("date").unwrap().to_owned()
    };
    let before = date().await;
    let right = app.clock.now_ms();
    app.clock.advance(Duration::from_secs(7200));
    assert_ne!(date().await, before);
    app.clock.set(right);
    assert_eq!(date().await, before);
}
