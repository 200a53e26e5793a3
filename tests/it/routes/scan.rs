//! `POST /api/jobs/scan` and `POST /api/jobs`.

use std::time::Duration;

use integration::{Options, TestApp};
use serde_json::{Value, json};

const ID: &str = "1200000000000000001";

fn scan(more: Value) -> Value {
    let mut body = json!({ "guildId": ID, "channelId": ID });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_wrong_field_is_named_with_what_it_may_be_and_nothing_is_stored() {
    let app = TestApp::start(Options::default()).await;
    for (more, detail) in [
        (
            json!({ "options": { "maxMessages": "many" } }),
            "options.maxMessages: expected a whole number from 1 to 1000000",
        ),
        (
            json!({ "options": { "maxMessages": 0 } }),
            "options.maxMessages: expected a whole number from 1 to 1000000",
        ),
        (
            json!({ "options": { "minVideoSeconds": -1 } }),
            "options.minVideoSeconds: expected a number of seconds from 0 to 86400",
        ),
        (
            json!({ "priority": 11 }),
            "priority: expected a whole number from 1 to 10",
        ),
        (
            json!({ "guildId": 12 }),
            "guildId: expected a Discord id, 15 to 20 digits without a leading zero, in quotes",
        ),
        (
            json!({ "channelId": "general" }),
            "channelId: expected a Discord id, 15 to 20 digits without a leading zero, in quotes",
        ),
        (
            json!({ "runAt": 9_000_000_000_000_000u64 }),
            "runAt: expected unix milliseconds, at most a year ahead",
        ),
    ] {
        let reply = app.post("/api/jobs/scan", &scan(more)).await;
        assert_eq!((reply.status, reply.text("/detail")), (400, detail));
    }
    let mode = app
        .post("/api/jobs/scan", &scan(json!({ "scanMode": "sideways" })))
        .await;
    assert!(
        mode.text("/detail").starts_with("scanMode: expected"),
        "{}",
        mode.json
    );
    assert_eq!(
        app.post("/api/jobs/scan", &json!({ "guildId": ID }))
            .await
            .text("/detail"),
        "channelId: required"
    );
    assert_eq!(
        app.post("/api/jobs/scan", &json!([ID, ID]))
            .await
            .text("/detail"),
        "body: expected a JSON object"
    );
    assert_eq!(app.endpoint.meter().total, 0);
}

#[tokio::test]
async fn a_wrong_job_of_a_list_is_named_by_its_place_and_none_is_stored() {
    let app = TestApp::start(Options::default()).await;
    let message =
        json!({ "type": "message", "guild_id": ID, "channel_id": ID, "message_ids": [ID] });
    let with = |key: &str, value: Value| {
        let mut job = message.clone();
        job[key] = value;
        json!([message, job])
    };
    for (list, detail) in [
        (
            with("message_ids", json!([])),
            "[1].messageIds: expected an array of 1 to 100 ids",
        ),
        (
            with("message_ids", json!([5])),
            "[1].message_ids[0]: expected a Discord id, 15 to 20 digits without a leading zero, in quotes",
        ),
        (
            json!([]),
            "body: expected an array of 1 to 100 objects; this one has 0",
        ),
        (
            // That there are too many is said, not what is wrong with each.
            json!(vec![json!({}); 101]),
            "body: expected an array of 1 to 100 objects; this one has 101",
        ),
    ] {
        let reply = app.post("/api/jobs", &list).await;
        assert_eq!((reply.status, reply.text("/detail")), (400, detail));
    }
    let kind = app.post("/api/jobs", &with("type", json!("dance"))).await;
    assert!(
        kind.text("/detail").starts_with("[1].type: expected"),
        "{}",
        kind.json
    );
    let both = json!({ "type": "batch", "guildId": ID, "channelId": ID, "beforeMessageId": ID, "afterMessageId": ID });
    assert_eq!(
        app.post("/api/jobs", &both).await.text("/detail"),
        "afterMessageId: must lie before the other end: nothing is in between"
    );
    assert_eq!(app.endpoint.meter().total, 0);
}

#[tokio::test]
async fn a_scan_for_later_waits_until_then() {
    let app = TestApp::with_guild(crate::scan::guild_with(10, 1)).await;
    let at = app.clock.now_ms() + 3_600_000;
    let id = app.scan(crate::scan::CHANNEL, json!({ "runAt": at })).await;
    assert_eq!(app.drain().await["claimed"], 0);
    let job = app.job(&id).await;
    crate::assert_has(&job, &json!({ "state": "delayed", "runAt": at }));
    app.advance(Duration::from_secs(3600));
    assert_eq!(app.drain().await["completed"], 1);
}

#[tokio::test]
async fn more_urgent_scans_run_first() {
    let app = TestApp::with_guild(crate::scan::guild_with(10, 1)).await;
    let low = app
        .scan(crate::scan::CHANNEL, json!({ "priority": 9 }))
        .await;
    let high = app
        .scan(crate::scan::CHANNEL + 1, json!({ "priority": 1 }))
        .await;
    let list = app.get("/api/jobs?state=waiting").await;
    let ids: Vec<&str> = list.json["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [high.as_str(), low.as_str()]);
    app.leaves_unfinished(2);
}
