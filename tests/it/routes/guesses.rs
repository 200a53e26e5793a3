//! What callers without a key may do, and how much load they can cause.

use std::time::Duration;

use integration::{Options, Reply, TestApp};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use upstash_local::{Fault, FaultAction};

const JOB: &str = "/api/jobs/01J00000000000000000000000";

async fn with_key(app: &TestApp, key: &str) -> Reply {
    app.send_plain(app.http().get(app.path(JOB)).bearer_auth(key))
        .await
}

#[tokio::test]
async fn a_guessed_key_counts_as_a_sign_in_does() {
    let app = TestApp::start(Options::default()).await;
    for n in 0..5 {
        let guess = with_key(&app, &format!("guess-number-{n}-0123456789")).await;
        assert_eq!((guess.status, guess.text("/code")), (401, "invalid_token"));
    }
    let refused = with_key(&app, "guess-number-6-0123456789").await;
    assert_eq!(
        (refused.status, refused.text("/code")),
        (429, "too_many_unknown_keys")
    );
    assert!(refused.header("retry-after").is_some());
    // The correct key is not compared any more, and the other route does not accept it
    // either.
    assert_eq!(with_key(&app, TestApp::API_KEY).await.status, 429);
    app.advance(Duration::from_secs(30));
    assert_eq!(with_key(&app, TestApp::ADMIN_KEY).await.status, 429);
    let body = json!({ "key": TestApp::API_KEY });
    let sign_in = app.http().post(app.path("/api/sessions")).json(&body);
    assert_eq!(app.send_plain(sign_in).await.status, 429);
    app.advance(Duration::from_secs(16 * 60));
    assert_eq!(with_key(&app, TestApp::API_KEY).await.status, 404);
}

#[tokio::test]
async fn sign_ins_and_guesses_share_their_limit() {
    let app = TestApp::start(Options::default()).await;
    for _ in 0..3 {
        let body = json!({ "key": "no-such-key-0123456789" });
        let sign_in = app.http().post(app.path("/api/sessions")).json(&body);
        assert_eq!(app.send_plain(sign_in).await.status, 401);
    }
    let statuses = [
        with_key(&app, "x").await,
        with_key(&app, "y").await,
        with_key(&app, "z").await,
    ];
    assert_eq!(statuses.map(|reply| reply.status), [401, 401, 429]);
}

#[tokio::test]
async fn a_caller_with_a_key_pays_nothing_for_guessers_elsewhere() {
    let app = TestApp::start(Options::default()).await;
    app.get(JOB).await;
    app.endpoint.reset_meter();
    app.get(JOB).await;
    assert_eq!(app.cost(), (4, 1));
    // A caller without any key costs nothing either.
    app.endpoint.reset_meter();
    for _ in 0..50 {
        let none = app.send_plain(app.http().get(app.path(JOB))).await;
        assert_eq!(none.status, 401);
    }
    assert_eq!(app.endpoint.meter().total, 0);
}

#[tokio::test]
async fn while_the_limit_cannot_be_checked_no_key_is_guessed() {
    let app = TestApp::start(Options::default()).await;
    let away = Fault::new(FaultAction::Status(503)).times(1000);
    app.endpoint.faults().add(away);
    assert_eq!(with_key(&app, "no-such-key-0123456789").await.status, 503);
}

fn from(request: RequestBuilder, n: u32) -> Value {
    let request = request.build().unwrap();
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": request.url().path(), "rawQueryString": "",
        "headers": { "authorization": "Bearer no-such-key-0123456789" }, "isBase64Encoded": false,
        "requestContext": { "http": { "method": "GET", "path": request.url().path(), "protocol": "HTTP/1.1",
            "sourceIp": format!("198.51.{}.{}", n / 250, n % 250), "userAgent": "" },
            "stage": "$default", "timeEpoch": 0 },
    })
}

#[tokio::test]
async fn guessers_at_many_addresses_are_bounded_together() {
    let app = TestApp::start(Options::default()).await;
    app.endpoint.reset_meter();
    let mut statuses = Vec::new();
    for n in 0..300 {
        let event = from(app.http().get(app.path(JOB)), n);
        let reply = app
            .post("/2015-03-31/functions/jobs/invocations", &event)
            .await;
        statuses.push(reply.json["statusCode"].as_u64().unwrap());
    }
    assert!(statuses[..60].iter().all(|status| *status == 401));
    assert!(statuses[60..].iter().all(|status| *status == 429));
    let spent = app.endpoint.meter().total;
    assert!(spent <= 60 * 3 + 5, "{spent}");
    // A caller with a valid key is not affected by them.
    assert_eq!(app.get(JOB).await.status, 404);
    app.advance(Duration::from_secs(60));
    let event = from(app.http().get(app.path(JOB)), 999);
    let reply = app
        .post("/2015-03-31/functions/jobs/invocations", &event)
        .await;
    assert_eq!(reply.json["statusCode"], 401);
}

#[tokio::test]
async fn anybody_may_ask_for_the_health_of_the_database_at_a_fixed_cost() {
    let app = TestApp::start(Options::default()).await;
    let ask = async || {
        let request = app.http().get(app.path("/api/health/redis"));
        app.send_plain(request).await
    };
    app.endpoint.reset_meter();
    for _ in 0..600 {
        let reply = ask().await;
        assert_eq!((reply.status, reply.text("/status")), (200, "healthy"));
    }
    assert_eq!(app.endpoint.meter().total, 1, "one PING");
    app.advance(Duration::from_secs(10));
    ask().await;
    assert_eq!(app.endpoint.meter().total, 2);

    let away = Fault::new(FaultAction::NotJson(500)).times(1000);
    app.endpoint.faults().add(away);
    app.advance(Duration::from_secs(10));
    let sick = ask().await;
    assert_eq!((sick.status, sick.text("/status")), (503, "unhealthy"));
    assert_eq!(sick.text("/errorMessage"), "the database does not answer");
    assert!(sick.header("retry-after").is_some());
    app.endpoint.faults().clear();
    app.advance(Duration::from_secs(10));
    assert_eq!(ask().await.status, 200);
}

#[tokio::test]
async fn a_change_with_a_cookie_is_accepted_only_from_a_known_page() {
    let page = "https://clips.example.org";
    let app = TestApp::start(Options {
        origins: vec![page.to_owned()],
        ..Options::default()
    })
    .await;
    let body = json!({ "key": TestApp::ADMIN_KEY });
    let signed_in = app.http().post(app.path("/api/sessions")).json(&body);
    let signed_in = app.send_plain(signed_in).await;
    let cookie = signed_in.header("set-cookie").unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let own = app.url.clone();
    let send = async |request: RequestBuilder, headers: &[(&str, &str)]| {
        let mut request = request.header("cookie", &cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        app.send_plain(request).await.status
    };
    let pause = || {
        app.http()
            .post(app.path("/api/admin/queues/scan/pause"))
            .json(&json!({}))
    };
    let sign_out = || app.http().delete(app.path("/api/sessions"));
    for foreign in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ],
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example.org"),
        ],
        &[("sec-fetch-site", "cross-site")],
    ] {
        assert_eq!(send(pause(), foreign).await, 403, "{foreign:?}");
        assert_eq!(send(sign_out(), foreign).await, 403, "{foreign:?}");
    }
    for known in [
        &[("origin", page)][..],
        &[("origin", page), ("sec-fetch-site", "cross-site")],
        &[("origin", own.as_str())],
        &[("origin", own.as_str()), ("sec-fetch-site", "same-origin")],
        &[],
    ] {
        assert_eq!(send(pause(), known).await, 200, "{known:?}");
    }
    assert_eq!(send(sign_out(), &[("origin", page)]).await, 204);
}
