//! Faults on demand, and the control API.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use upstash_local::{Fault, FaultAction, Options};

use super::endpoint::Endpoint;

async fn struck(action: FaultAction) -> (Endpoint, reqwest::Result<reqwest::Response>) {
    let endpoint = Endpoint::start().await;
    endpoint
        .server()
        .faults()
        .add(Fault::new(action).matching("incr"));
    let sent = endpoint.try_send("/", &json!(["INCR", "n"])).await;
    assert_eq!(endpoint.server().faults().fired(), 1);
    (endpoint, sent)
}

async fn count(endpoint: &Endpoint) -> Value {
    endpoint.run(json!(["GET", "n"])).await
}

#[tokio::test]
async fn a_dropped_request_is_not_executed() {
    let (endpoint, sent) = struck(FaultAction::DropBefore).await;
    assert!(sent.is_err());
    assert_eq!(count(&endpoint).await, json!(null));
}

#[tokio::test]
async fn a_dropped_reply_still_commits_the_write() {
    let (endpoint, sent) = struck(FaultAction::DropAfterCommit).await;
    assert!(sent.is_err());
    assert_eq!(count(&endpoint).await, json!("1"));
}

#[tokio::test]
async fn a_duplicate_executes_twice_and_answers_the_second() {
    let (endpoint, sent) = struck(FaultAction::Duplicate).await;
    assert_eq!(
        sent.unwrap().json::<Value>().await.unwrap(),
        json!({"result": 2})
    );
    assert_eq!(count(&endpoint).await, json!("2"));
}

#[tokio::test]
async fn a_status_answers_instead_of_executing() {
    let (endpoint, sent) = struck(FaultAction::Status(503)).await;
    assert_eq!(sent.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(count(&endpoint).await, json!(null));
    let (endpoint, sent) = struck(FaultAction::StatusAfterCommit(500)).await;
    assert_eq!(sent.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(count(&endpoint).await, json!("1"));
}

#[tokio::test]
async fn a_truncated_body_fails_to_read() {
    let (endpoint, sent) = struck(FaultAction::TruncateBody).await;
    assert!(sent.unwrap().bytes().await.is_err());
    assert_eq!(count(&endpoint).await, json!("1"));
}

#[tokio::test]
async fn a_page_of_html_is_no_json() {
    let (_, sent) = struck(FaultAction::NotJson(200)).await;
    let response = sent.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.json::<Value>().await.is_err());
}

#[tokio::test]
async fn a_used_up_quota_names_its_limit() {
    let (endpoint, sent) = struck(FaultAction::QuotaExceeded).await;
    let body: Value = sent.unwrap().json().await.unwrap();
    assert!(
        body["error"]
            .as_str()
            .unwrap()
            .starts_with("ERR max requests limit exceeded. Limit: ")
    );
    assert_eq!(count(&endpoint).await, json!(null));
}

#[tokio::test]
async fn a_delay_executes_later() {
    let (endpoint, sent) = struck(FaultAction::Delay(Duration::from_millis(5))).await;
    assert_eq!(sent.unwrap().status(), StatusCode::OK);
    assert_eq!(count(&endpoint).await, json!("1"));
}

#[tokio::test]
async fn a_fault_skips_and_repeats_as_told() {
    let endpoint = Endpoint::start().await;
    let fault = Fault::new(FaultAction::Status(500))
        .matching("needle")
        .skip(1)
        .times(2);
    endpoint.server().faults().add(fault);
    let mut statuses = Vec::new();
    for command in [
        json!(["GET", "a"]),
        json!(["GET", "Needle"]),
        json!(["GET", "needle"]),
        json!(["SET", "needle", 1]),
        json!(["GET", "needle"]),
    ] {
        statuses.push(
            endpoint
                .try_send("/", &command)
                .await
                .unwrap()
                .status()
                .as_u16(),
        );
    }
    assert_eq!(statuses, [200, 200, 500, 500, 200]);
}

#[tokio::test]
async fn the_control_listener_serves_meter_faults_and_clock() {
    let endpoint = Endpoint::with(Options {
        control: Some("127.0.0.1:0".parse().unwrap()),
        ..Options::default()
    })
    .await;
    let url = endpoint.server().control_url().unwrap();
    let post = async |path: &str, body: Value| -> Value {
        let request = endpoint.client.post(format!("{url}{path}")).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    };
    endpoint.run(json!(["SET", "a", 1, "PX", 50])).await;
    let moved = post("/clock", json!({"advanceMs": 50})).await;
    assert_eq!(moved["nowMs"], json!(1_800_000_000_050i64));
    assert_eq!(endpoint.run(json!(["GET", "a"])).await, json!(null));
    let state = post(
        "/faults",
        json!({"action": {"status": 502}, "matching": "get", "times": 1}),
    )
    .await;
    assert_eq!(state["waiting"][0]["action"], json!({"status": 502}));
    assert_eq!(
        endpoint
            .try_send("/", &json!(["GET", "a"]))
            .await
            .unwrap()
            .status()
            .as_u16(),
        502
    );
    let meter: Value = endpoint
        .client
        .get(format!("{url}/meter"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(meter["total"], json!(2));
    assert_eq!(post("/meter/reset", json!({})).await["total"], json!(0));
}
