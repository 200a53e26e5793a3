//! The job routes.

use std::time::Duration;

use integration::TestApp;
use reqwest::Method;
use serde_json::json;

use crate::scan::{CHANNEL, guild_with};

const UNKNOWN: &str = "01J00000000000000000000000";

#[tokio::test]
async fn a_job_is_shown_with_everything_that_is_known_of_it() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    let id = app
        .scan(CHANNEL, json!({ "scanMode": "backfill", "priority": 2 }))
        .await;
    app.endpoint.reset_meter();
    let job = app.job(&id).await;
    // One command for the job and three for the rate limit.
    assert_eq!(app.cost(), (4, 1));
    assert_eq!(job["type"], "scan");
    crate::assert_has(
        &job,
        &json!({ "priority": 2, "attemptsMade": 0, "maxAttempts": 3 }),
    );
    assert_eq!(job["data"]["scanMode"], "backfill");
    crate::assert_has(
        &job,
        &json!({ "scanId": id, "createdAt": app.clock.now_ms() }),
    );
    assert!(
        job["startedAt"].is_null() && job["returnvalue"].is_null() && job["errors"] == json!([])
    );
    app.drain().await;
    let job = app.job(&id).await;
    assert_eq!(
        (&job["state"], &job["progress"]["percent"]),
        (&json!("completed"), &json!(100))
    );
    assert_eq!(job["finishedAt"], json!(app.clock.now_ms()));
}

#[tokio::test]
async fn a_waiting_job_is_cancelled_at_once_and_a_finished_one_is_not() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    let id = app.scan(CHANNEL, json!({})).await;
    for _ in 0..2 {
        let reply = app.delete(&format!("/api/jobs/{id}")).await;
        assert_eq!((reply.status, reply.text("/state")), (202, "cancelled"));
    }
    assert_eq!(app.drain().await["claimed"], 0);
    assert_eq!(app.stream(&id).await["currentState"]["status"], "CANCELLED");
    let done = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let reply = app.delete(&format!("/api/jobs/{done}")).await;
    assert_eq!(
        (reply.status, reply.text("/detail")),
        (409, "the job is completed already")
    );
    assert_eq!(
        app.delete(&format!("/api/jobs/{UNKNOWN}")).await.status,
        404
    );
    assert_eq!(app.delete("/api/jobs/x:p").await.status, 400);
}

#[tokio::test]
async fn a_failed_job_runs_again_when_it_is_retried() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    let missing = CHANNEL + 7;
    let id = app.scan(missing, json!({})).await;
    app.drain().await;
    assert_eq!(app.job(&id).await["state"], "failed");
    app.discord
        .change_guild(|guild| guild.add_text_channel(missing, "found again"));

    let reply = app.post(&format!("/api/jobs/{id}/retry"), &json!({})).await;
    assert_eq!((reply.status, reply.text("/state")), (202, "waiting"));
    app.advance(std::time::Duration::from_millis(1));
    let again = app.post(&format!("/api/jobs/{id}/retry"), &json!({})).await;
    assert_eq!(again.status, 409);
    app.drain().await;
    let job = app.job(&id).await;
    crate::assert_has(&job, &json!({ "state": "completed", "attemptsMade": 1 }));
    assert_eq!(
        app.post(&format!("/api/jobs/{UNKNOWN}/retry"), &json!({}))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_failed_scan_is_not_retried_beside_another_of_its_kind() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    let failed = app.scan(CHANNEL + 7, json!({})).await;
    app.drain().await;
    app.scan(CHANNEL + 7, json!({})).await;
    let reply = app
        .post(&format!("/api/jobs/{failed}/retry"), &json!({}))
        .await;
    assert_eq!((reply.status, reply.text("/code")), (409, "job_duplicate"));
    app.leaves_unfinished(1);
    app.leaves_failed(1);
}

#[tokio::test]
async fn a_finished_job_is_forgotten_on_request() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    let id = app.scan(CHANNEL, json!({})).await;
    let purge = format!("/api/jobs/{id}?purge=true");
    assert_eq!(app.delete(&purge).await.status, 409);
    app.drain().await;
    let removed = app.delete(&purge).await.json;
    assert_eq!(removed, json!({ "state": null, "purged": true }));
    let events = format!("trawl:scan:events:{id}");
    assert_eq!(
        shared::redis::commands::Keys::exists(&*app.redis, &[&events])
            .await
            .unwrap(),
        0
    );
    // Within five seconds of its creation, a replica may not have it yet.
    let gone = app.get(&format!("/api/jobs/{id}")).await;
    assert_eq!((gone.status, gone.text("/code")), (503, "not_yet_known"));
    app.advance(Duration::from_secs(5));
    assert_eq!(app.get(&format!("/api/jobs/{id}")).await.status, 404);
    assert_eq!(app.delete(&purge).await.status, 404);
}

#[tokio::test]
async fn jobs_are_listed_by_state_page_by_page_each_once() {
    let app = TestApp::with_guild(guild_with(10, 1)).await;
    let mut expected = Vec::new();
    for i in 0..25 {
        expected.push(app.scan(CHANNEL + i, json!({})).await);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app
            .get(&format!("/api/jobs?state=waiting&limit=10&cursor={cursor}"))
            .await;
        assert_eq!(page.status, 200, "{}", page.json);
        seen.extend(
            page.json["jobs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|job| job["id"].as_str().unwrap().to_owned()),
        );
        match page.json["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    // All were enqueued in the same millisecond, so the order is by ID.
    expected.sort();
    assert_eq!(seen, expected);
    for (query, field) in [
        ("state=asleep", "state:"),
        ("limit=0", "limit:"),
        ("limit=101", "limit:"),
        ("cursor=!", "cursor:"),
    ] {
        let reply = app.get(&format!("/api/jobs?{query}")).await;
        assert!(
            reply.status == 400 && reply.text("/detail").starts_with(field),
            "{query}"
        );
    }
    app.leaves_unfinished(25);
}

#[tokio::test]
async fn a_path_with_a_strange_id_is_refused() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    for id in [
        "x",
        "01j00000000000000000000000",
        "01J0000000000000000000000%3Ap",
        "..%2f",
        "scan",
    ] {
        let reply = app
            .send(
                app.http()
                    .request(Method::GET, app.path(&format!("/api/jobs/{id}"))),
            )
            .await;
        assert_eq!(reply.status, 400, "{id}");
    }
}
