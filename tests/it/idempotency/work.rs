//! A reply that is stored by the same step that does the work.

use std::time::Duration;

use integration::{Options, Reply, TestApp};
use serde_json::{Value, json};
use upstash_local::{Fault, FaultAction};

use super::{ID, message, n_jobs, post};

fn scan(channel: u64) -> Value {
    json!({ "guildId": ID, "channelId": (1_200_000_000_000_000_500 + channel).to_string() })
}

async fn post_to(app: &TestApp, path: &str, key: &str, body: &Value) -> Reply {
    let request = app.http().post(app.path(path)).json(body);
    app.send(request.header("idempotency-key", key)).await
}

/// A system whose scripts are cached.
async fn warm() -> TestApp {
    let app = TestApp::start(Options::default()).await;
    post_to(&app, "/api/jobs/scan", "warm", &scan(0)).await;
    app.post("/api/jobs/scan", &scan(0)).await;
    app.endpoint.reset_meter();
    app
}

#[tokio::test]
async fn a_post_that_is_remembered_takes_two_round_trips() {
    let app = warm().await;
    for (path, body, key) in [
        ("/api/jobs/scan", scan(1), "scan"),
        ("/api/jobs", message(1), "one"),
        ("/api/jobs", json!([message(2), message(3)]), "two"),
    ] {
        let first = post_to(&app, path, key, &body).await;
        assert_eq!((first.status, app.cost().1), (202, 2), "{path}");
        app.endpoint.reset_meter();
        let second = post_to(&app, path, key, &body).await;
        assert_eq!((&second.json, app.cost().1), (&first.json, 1), "{path}");
        app.endpoint.reset_meter();
    }
    assert_eq!(n_jobs(&app).await, 5);
    app.leaves_unfinished(5);
}

#[tokio::test]
async fn a_function_that_dies_after_the_work_has_already_stored_the_reply() {
    let app = warm().await;
    // The reply is lost, however often the request is repeated.
    let lost = Fault::new(FaultAction::DropAfterCommit).matching("jobs:scan");
    app.endpoint.faults().add(lost.times(4));
    assert_eq!(post(&app, "k", &message(1)).await.status, 503);
    let again = post(&app, "k", &message(1)).await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (202, Some("true"))
    );
    assert_eq!(n_jobs(&app).await, 2);
    let id = again.json["jobs"][0]["jobId"].as_str().unwrap();
    assert_eq!(app.job(id).await["state"], "waiting");
    app.leaves_unfinished(2);
}

#[tokio::test]
async fn an_unexpected_reply_is_stored_after_the_work() {
    let app = warm().await;
    let waiting = app.post("/api/jobs/scan", &scan(1)).await;
    app.endpoint.reset_meter();
    let first = post_to(&app, "/api/jobs/scan", "k", &scan(1)).await;
    assert_eq!(
        (&first.json["jobId"], &first.json["duplicate"]),
        (&waiting.json["jobId"], &json!(true))
    );
    assert_eq!(app.cost().1, 3);
    let second = post_to(&app, "/api/jobs/scan", "k", &scan(1)).await;
    assert_eq!(second.json, first.json);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    app.leaves_unfinished(2);
}

#[tokio::test]
async fn a_retry_is_remembered_by_the_step_that_retries() {
    let app = warm().await;
    app.drain().await;
    let failed = app.get("/api/jobs?state=failed").await;
    let id = failed.json["jobs"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/jobs/{id}/retry");
    app.endpoint.reset_meter();
    let first = post_to(&app, &path, "k", &json!({})).await;
    // One more request, because the script was not cached.
    assert_eq!((first.status, app.cost().1), (202, 3));
    let second = post_to(&app, &path, "k", &json!({})).await;
    assert_eq!((second.status, &second.json), (202, &first.json));
    app.advance(Duration::from_millis(1));
    assert_eq!(post_to(&app, &path, "l", &json!({})).await.status, 409);
    app.leaves_unfinished(1);
}
