//! Behaviour that all routes share.

use integration::{Options, TestApp};
use reqwest::Method;
use serde_json::json;
use upstash_local::{Fault, FaultAction};

const JOB: &str = "/api/jobs/01J00000000000000000000000";

#[tokio::test]
async fn a_caller_without_a_known_key_is_refused_before_redis_is_asked() {
    let app = TestApp::start(Options::default()).await;
    let http = app.http();
    for request in [
        http.get(app.path(JOB)),
        http.get(app.path(JOB))
            .header("authorization", "Basic d3Jvbmc6a2V5"),
        http.get(app.path(JOB))
            .header("authorization", TestApp::API_KEY),
        http.post(app.path("/api/jobs/scan")).json(&json!({})),
    ] {
        let reply = app.send_plain(request).await;
        assert_eq!((reply.status, reply.text("/code")), (401, "missing_token"));
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    }
    assert_eq!(app.endpoint.meter().total, 0);
    let admin = app
        .send_plain(http.get(app.path(JOB)).bearer_auth(TestApp::ADMIN_KEY))
        .await;
    assert_eq!(admin.status, 404);
}

#[tokio::test]
async fn errors_are_problem_details_with_a_stable_code() {
    let app = TestApp::start(Options::default()).await;
    let reply = app.get(JOB).await;
    assert_eq!(reply.status, 404);
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(reply.text("/title"), reply.text("/error"));
    assert_eq!(reply.json["status"], 404);
    assert_eq!(reply.header("x-request-id"), Some(reply.text("/requestId")));
}

#[tokio::test]
async fn an_unknown_path_and_an_unknown_method_are_distinguished() {
    let app = TestApp::start(Options::default()).await;
    assert_eq!(app.get("/api/nothing").await.status, 404);
    let reply = app
        .send(app.http().request(Method::PUT, app.path(JOB)))
        .await;
    assert_eq!(
        (reply.status, reply.text("/code")),
        (405, "method_not_allowed")
    );
    assert_eq!(reply.header("allow"), Some("GET, HEAD, DELETE"));
}

#[tokio::test]
async fn a_body_that_is_not_json_or_too_large_is_refused() {
    let app = TestApp::start(Options::default()).await;
    let path = app.path("/api/jobs/scan");
    let text = app.send(app.http().post(&path).body("{}")).await;
    assert_eq!((text.status, text.text("/code")), (415, "not_json"));
    let large = json!({ "guildId": "x".repeat(300 * 1024) });
    let large = app.send(app.http().post(&path).json(&large)).await;
    assert_eq!((large.status, large.text("/code")), (413, "too_large"));
    let huge = app
        .send(
            app.http()
                .post(&path)
                .json(&json!("x".repeat(11 * 1024 * 1024))),
        )
        .await;
    assert_eq!(huge.status, 413);
    let broken = app
        .http()
        .post(&path)
        .header("content-type", "application/json")
        .body("{\"a\"");
    assert_eq!(
        app.send(broken).await.text("/detail"),
        "body: expected valid JSON; the text ends too early at line 1, column 4"
    );
    let bytes = app
        .http()
        .post(&path)
        .header("content-type", "application/json; charset=utf-8")
        .body(vec![0xff, 0xfe]);
    assert_eq!(
        app.send(bytes).await.text("/detail"),
        "body: expected UTF-8"
    );
    assert_eq!(app.endpoint.meter().total, 0);
}

#[tokio::test]
async fn an_outage_of_redis_is_reported_with_a_retry_time_and_nothing_internal() {
    let app = TestApp::start(Options::default()).await;
    app.endpoint.faults().add(Fault {
        action: FaultAction::Status(503),
        matching: None,
        skip: 0,
        times: 99,
    });
    let reply = app.get(JOB).await;
    assert_eq!((reply.status, reply.text("/code")), (503, "unavailable"));
    assert_eq!(reply.header("retry-after"), Some("2"));
    let text = reply.json.to_string();
    for secret in [
        "hmget",
        "HMGET",
        "127.0.0.1",
        app.endpoint.token(),
        "trawl:jobs",
    ] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn only_configured_origins_may_call_from_a_browser() {
    let origin = "https://clips.example";
    let app = TestApp::start(Options {
        origins: vec![origin.to_owned()],
        ..Options::default()
    })
    .await;
    let preflight = |origin: &str| {
        app.http()
            .request(Method::OPTIONS, app.path("/api/jobs/scan"))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
    };
    let allowed = app.send_plain(preflight(origin)).await;
    assert_eq!(
        (
            allowed.status,
            allowed.header("access-control-allow-origin")
        ),
        (204, Some(origin))
    );
    assert_eq!(allowed.header("access-control-allow-methods"), Some("POST"));
    let credentials = "access-control-allow-credentials";
    assert_eq!(allowed.header(credentials), Some("true"));
    let other = app.send_plain(preflight("https://other.example")).await;
    assert_eq!(other.header("access-control-allow-origin"), None);
    assert_eq!(other.header(credentials), None);
    let get = app
        .send(app.http().get(app.path(JOB)).header("origin", origin))
        .await;
    assert_eq!(get.header("access-control-allow-origin"), Some(origin));
    assert_eq!(get.header(credentials), Some("true"));
    assert_eq!(get.header("vary"), Some("origin"));
}

#[tokio::test]
async fn any_origin_may_call_if_the_settings_say_so_but_without_cookies() {
    let named = "https://clips.example";
    let app = TestApp::start(Options {
        origins: vec!["*".to_owned(), named.to_owned()],
        ..Options::default()
    })
    .await;
    for (origin, allowed, credentials) in [
        ("https://other.example", "*", None),
        (named, named, Some("true")),
    ] {
        let request = app.http().get(app.path(JOB)).header("origin", origin);
        let reply = app.send(request).await;
        assert_eq!(reply.header("access-control-allow-origin"), Some(allowed));
        let given = reply.header("access-control-allow-credentials");
        assert_eq!(given, credentials);
    }
}

#[tokio::test]
async fn a_reply_carries_the_state_it_is_of_and_nothing_is_cached() {
    let app = TestApp::start(Options::default()).await;
    let reply = app.get("/api/jobs?state=waiting").await;
    assert_eq!(reply.status, 200);
    assert!(
        reply
            .header("x-sync-token")
            .is_some_and(|token| !token.is_empty())
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}
