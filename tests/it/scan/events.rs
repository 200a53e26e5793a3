//! Following a scan.

use std::time::Duration;

use integration::TestApp;
use serde_json::{Value, json};

use super::{CHANNEL, guild_with};

fn types(stream: &Value) -> Vec<&str> {
    stream["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_watcher_sees_a_scan_from_pending_to_its_end() {
    let app = TestApp::with_guild(guild_with(250, 10)).await;
    let scan = app.scan(CHANNEL, json!({})).await;
    let before = app.stream(&scan).await;
    assert_eq!(before["currentState"]["status"], "PENDING");
    assert_eq!(
        (types(&before).len(), &before["lastId"], &before["reset"]),
        (0, &json!("0"), &json!(false))
    );

    app.drain().await;

    let after = app.stream(&scan).await;
    let page = ["clip", "progress"];
    let mut expected = vec!["status"];
    // Three pages, two of them saved together.
    expected.extend(page.iter().chain(&page));
    expected.push("status");
    assert_eq!(types(&after), expected);
    let state = &after["currentState"];
    assert_eq!(state["status"], "SUCCEEDED");
    assert_eq!(
        (&state["clipsFound"], &state["progress"]["current"]),
        (&json!(25), &json!(250))
    );
    assert_eq!(state["progress"]["percent"], 100);
    assert_eq!(
        (&state["scanId"], &state["jobId"]),
        (&json!(scan), &json!(scan))
    );
    assert_eq!(state["channelId"], CHANNEL.to_string());
    let clips: usize = after["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["data"]["clips"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(clips, 25);

    let last = after["lastId"].as_str().unwrap();
    let rest = app
        .get(&format!("/api/scans/stream/{scan}?lastId={last}"))
        .await;
    assert_eq!((types(&rest.json).len(), rest.text("/lastId")), (0, last));
}

#[tokio::test]
async fn a_poll_is_one_request_and_two_commands_beside_its_limit() {
    let app = TestApp::with_guild(guild_with(50, 10)).await;
    let scan = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    app.endpoint.reset_meter();
    app.stream(&scan).await;
    assert_eq!(app.cost(), (5, 1));
}

#[tokio::test]
async fn events_outlive_a_scan_by_a_day() {
    let app = TestApp::with_guild(guild_with(50, 10)).await;
    let scan = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let last = app.stream(&scan).await["lastId"]
        .as_str()
        .unwrap()
        .to_owned();
    app.advance(Duration::from_secs(24 * 3600 + 1));
    let late = app
        .get(&format!("/api/scans/stream/{scan}?lastId={last}"))
        .await;
    assert_eq!((late.status, types(&late.json).len()), (200, 0));
    assert_eq!(late.text("/currentState/status"), "SUCCEEDED");
}

#[tokio::test]
async fn a_cursor_that_cannot_be_one_is_refused_and_a_strange_one_starts_anew() {
    let app = TestApp::with_guild(guild_with(50, 10)).await;
    let scan = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    for wrong in ["x", "1-", "-", "1-2-3"] {
        let reply = app
            .get(&format!("/api/scans/stream/{scan}?lastId={wrong}"))
            .await;
        assert_eq!(
            (reply.status, reply.text("/code")),
            (400, "invalid_parameter"),
            "{wrong}"
        );
        assert!(reply.text("/detail").starts_with("lastId:"));
    }
    let future = app
        .get(&format!("/api/scans/stream/{scan}?lastId=99-0"))
        .await;
    assert_eq!(
        (&future.json["reset"], &future.json["lastId"]),
        (&json!(true), &json!("0"))
    );
}

#[tokio::test]
async fn a_scan_that_never_was_is_not_found() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let reply = app
        .get("/api/scans/stream/01J00000000000000000000000")
        .await;
    assert_eq!(reply.status, 404);
    let reply = app.get("/api/scans/stream/not-an-id").await;
    assert_eq!(reply.status, 400);
}
