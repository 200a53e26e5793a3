//! Sessions: signing in and out, and using them.

mod front_door;
mod store;

use std::time::Duration;

use integration::{Reply, TestApp};
use reqwest::Method;
use serde_json::json;
use upstash_local::{Fault, FaultAction};

use crate::scan::guild_with;

const JOBS: &str = "/api/jobs?state=waiting";

async fn sign_in(app: &TestApp, key: &str) -> Reply {
    let request = app.http().post(app.path("/api/sessions"));
    app.send_plain(request.json(&json!({ "key": key }))).await
}

/// The cookie as a browser sends it back.
fn cookie(reply: &Reply) -> String {
    let cookie = reply.header("set-cookie").unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn with(app: &TestApp, method: Method, path: &str, cookie: &str) -> Reply {
    let request = app.http().request(method, app.path(path));
    app.send_plain(request.header("cookie", cookie)).await
}

#[tokio::test]
async fn a_session_has_the_rights_of_its_key() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let reply = sign_in(&app, TestApp::API_KEY).await;
    assert_eq!((reply.status, reply.text("/role")), (201, "api"));
    assert_eq!(
        reply.json["expiresAt"],
        app.clock.now_ms() + 24 * 3600 * 1000
    );
    let set = reply.header("set-cookie").unwrap();
    for part in [
        "__Host-trawl-session=",
        "; Path=/;",
        "HttpOnly",
        "Secure",
        "SameSite=Strict",
    ] {
        assert!(set.contains(part), "{set}");
    }
    let cookie = format!("theme=dark; {}", cookie(&reply));
    assert_eq!(with(&app, Method::GET, JOBS, &cookie).await.status, 200);
    assert_eq!(
        with(&app, Method::GET, JOBS, "theme=dark").await.status,
        401
    );
    // If a key is sent, it is used instead of the cookie.
    let both = app.http().get(app.path(JOBS)).header("cookie", &cookie);
    assert_eq!(app.send_plain(both.bearer_auth("wrong")).await.status, 401);
}

#[tokio::test]
async fn an_invalid_key_signs_nobody_in() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    for key in ["", "wrong-key-0123456789", " "] {
        let reply = sign_in(&app, key).await;
        assert_eq!((reply.status, reply.text("/code")), (401, "unknown_key"));
        assert!(reply.header("set-cookie").is_none());
    }
    app.endpoint.reset_meter();
    let request = app.http().post(app.path("/api/sessions")).json(&json!({}));
    assert_eq!(
        app.send_plain(request).await.text("/detail"),
        "key: required"
    );
    for cookie in ["__Host-trawl-session=x", "__Host-trawl-session="] {
        assert_eq!(with(&app, Method::GET, JOBS, cookie).await.status, 401);
    }
    assert_eq!(app.endpoint.meter().total, 0);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_a_second_time_changes_nothing() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let first = cookie(&sign_in(&app, TestApp::API_KEY).await);
    let second = cookie(&sign_in(&app, TestApp::API_KEY).await);
    for _ in 0..2 {
        let out = with(&app, Method::DELETE, "/api/sessions", &first).await;
        assert_eq!(out.status, 204);
        assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    }
    assert_eq!(with(&app, Method::GET, JOBS, &first).await.status, 401);
    assert_eq!(with(&app, Method::GET, JOBS, &second).await.status, 200);
    let admin = cookie(&sign_in(&app, TestApp::ADMIN_KEY).await);
    let third = cookie(&sign_in(&app, TestApp::API_KEY).await);
    with(&app, Method::DELETE, "/api/sessions?all=true", &third).await;
    for (cookie, status) in [(&second, 401), (&third, 401), (&admin, 200)] {
        assert_eq!(with(&app, Method::GET, JOBS, cookie).await.status, status);
    }
}

#[tokio::test]
async fn a_session_lives_while_it_is_used_and_a_day_at_most() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let used = cookie(&sign_in(&app, TestApp::API_KEY).await);
    let unused = cookie(&sign_in(&app, TestApp::API_KEY).await);
    for _ in 0..23 {
        app.advance(Duration::from_secs(3600));
        assert_eq!(with(&app, Method::GET, JOBS, &used).await.status, 200);
    }
    assert_eq!(with(&app, Method::GET, JOBS, &unused).await.status, 401);
    app.advance(Duration::from_secs(3600));
    assert_eq!(with(&app, Method::GET, JOBS, &used).await.status, 401);
}

#[tokio::test]
async fn while_redis_is_unavailable_a_session_is_neither_accepted_nor_rejected() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let cookie = cookie(&sign_in(&app, TestApp::API_KEY).await);
    app.endpoint.faults().add(Fault {
        times: 99,
        ..Fault::new(FaultAction::Status(503))
    });
    let reply = with(&app, Method::GET, JOBS, &cookie).await;
    assert_eq!((reply.status, reply.text("/code")), (503, "unavailable"));
    assert_eq!(sign_in(&app, TestApp::API_KEY).await.status, 503);
}
