//! What a session costs the routes, and what it gives no access to.

use std::sync::Arc;

use dev::{Function, Functions, FunctionsConfig, Host};
use integration::{Options, Reply, TestApp};
use reqwest::Method;
use serde_json::json;
use shared::config::AuthConfig;
use shared::http::{self, ApiError, Context, Spec};
use shared::start::Start;
use tokio::net::TcpListener;
use upstash_local::{Fault, FaultAction};

use super::{JOBS, cookie, sign_in, with};
use crate::scan::{CHANNEL, GUILD, guild_with};

/// A system with cached scripts, and the cookie of a signed-in user.
async fn signed_in() -> (TestApp, String) {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let cookie = cookie(&sign_in(&app, TestApp::API_KEY).await);
    for path in routes() {
        app.get(&path).await;
    }
    post(&app, &cookie, "warm", CHANNEL).await;
    let other = super::cookie(&sign_in(&app, TestApp::API_KEY).await);
    with(&app, Method::DELETE, "/api/sessions?all=true", &other).await;
    let cookie = super::cookie(&sign_in(&app, TestApp::API_KEY).await);
    app.endpoint.reset_meter();
    (app, cookie)
}

fn routes() -> Vec<String> {
    let guild = format!("/api/guilds/{GUILD}");
    vec![
        JOBS.to_owned(),
        "/api/jobs/01J00000000000000000000000".to_owned(),
        "/api/scans/stream/01J00000000000000000000000".to_owned(),
        "/api/scans/current".to_owned(),
        format!("{guild}/scan-statuses"),
        format!("{guild}/channels/{CHANNEL}/scan-status"),
        format!("{guild}/clips"),
        guild.clone(),
        format!("{guild}/channels/{CHANNEL}"),
        format!("{guild}/settings"),
    ]
}

async fn post(app: &TestApp, cookie: &str, key: &str, channel: u64) -> Reply {
    let body = json!({ "guildId": GUILD.to_string(), "channelId": channel.to_string() });
    let request = app.http().post(app.path("/api/jobs/scan")).json(&body);
    let request = request.header("idempotency-key", key);
    app.send_plain(request.header("cookie", cookie)).await
}

/// Billed commands and round trips since the last call.
fn cost(app: &TestApp) -> (u64, u64) {
    let cost = app.cost();
    app.endpoint.reset_meter();
    cost
}

#[tokio::test]
async fn a_read_with_a_cookie_takes_the_round_trips_of_one_with_a_key() {
    let (app, cookie) = signed_in().await;
    for path in routes() {
        let by_key = app.get(&path).await;
        let (billed, trips) = cost(&app);
        let by_cookie = with(&app, Method::GET, &path, &cookie).await;
        assert_eq!(by_cookie.status, by_key.status, "{path}");
        assert_eq!((trips, cost(&app)), (1, (billed + 1, 1)), "{path}");
    }
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_change_with_a_cookie_takes_the_round_trips_of_one_with_a_key() {
    let (app, cookie) = signed_in().await;
    let body = json!({ "guildId": GUILD.to_string(), "channelId": (CHANNEL + 1).to_string() });
    app.post("/api/jobs/scan", &body).await;
    cost(&app);
    let body = json!({ "guildId": GUILD.to_string(), "channelId": (CHANNEL + 2).to_string() });
    app.post("/api/jobs/scan", &body).await;
    let (billed, trips) = cost(&app);
    let body = json!({ "guildId": GUILD.to_string(), "channelId": (CHANNEL + 3).to_string() });
    let request = app.http().post(app.path("/api/jobs/scan")).json(&body);
    app.send_plain(request.header("cookie", &cookie)).await;
    assert_eq!((trips, cost(&app)), (2, (billed + 1, 2)));
    // Also for a request with an idempotency key.
    assert_eq!(post(&app, &cookie, "k", CHANNEL + 4).await.status, 202);
    assert_eq!(cost(&app).1, 2);
    app.leaves_unfinished(5);
}

#[tokio::test]
async fn signing_in_and_out_takes_two_round_trips() {
    let (app, first) = signed_in().await;
    let second = cookie(&sign_in(&app, TestApp::API_KEY).await);
    assert_eq!(cost(&app).1, 2);
    for (path, cookie) in [("/api/sessions", first), ("/api/sessions?all=true", second)] {
        let out = with(&app, Method::DELETE, path, &cookie).await;
        assert_eq!((out.status, cost(&app).1), (204, 2), "{path}");
    }
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_forged_cookie_costs_nothing() {
    let (app, cookie) = signed_in().await;
    let (name, value) = cookie.split_once('=').unwrap();
    let parts: Vec<&str> = value.split('.').collect();
    for forged in [
        format!("{name}=admin.{}.{}", parts[1], parts[2]),
        format!("{name}=api.{}.{}", parts[2], parts[2]),
        format!("{name}={}", parts[1]),
        format!("{name}="),
    ] {
        for method in [Method::GET, Method::DELETE] {
            let path = if method == Method::GET {
                JOBS
            } else {
                "/api/jobs/01J00000000000000000000000"
            };
            assert_eq!(with(&app, method, path, &forged).await.status, 401);
        }
        let out = with(&app, Method::DELETE, "/api/sessions?all=true", &forged).await;
        assert_eq!(out.status, 204);
    }
    assert_eq!(cost(&app), (0, 0));
    assert_eq!(with(&app, Method::GET, JOBS, &cookie).await.status, 200);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn an_expired_session_gives_no_access_and_uses_no_idempotency_key() {
    let (app, cookie) = signed_in().await;
    with(&app, Method::DELETE, "/api/sessions", &cookie).await;
    let read = with(&app, Method::GET, JOBS, &cookie).await;
    assert_eq!((read.status, read.text("/code")), (401, "session_expired"));
    assert!(read.json.get("jobs").is_none());
    assert_eq!(post(&app, &cookie, "k", CHANNEL + 1).await.status, 401);
    let waiting = app.get(JOBS).await;
    assert_eq!(waiting.json["jobs"].as_array().unwrap().len(), 1);
    // After signing in again, the same request is done at once.
    let cookie = super::cookie(&sign_in(&app, TestApp::API_KEY).await);
    let done = post(&app, &cookie, "k", CHANNEL + 1).await;
    assert_eq!(
        (done.status, done.header("idempotency-replayed")),
        (202, None)
    );
    // It does not end the sessions of others either.
    let other = super::cookie(&sign_in(&app, TestApp::API_KEY).await);
    with(&app, Method::DELETE, "/api/sessions", &other).await;
    with(&app, Method::DELETE, "/api/sessions?all=true", &other).await;
    assert_eq!(with(&app, Method::GET, JOBS, &cookie).await.status, 200);
    app.leaves_unfinished(2);
}

#[tokio::test]
async fn while_redis_is_unavailable_a_session_is_still_required() {
    let (app, cookie) = signed_in().await;
    let guild = format!("/api/guilds/{GUILD}");
    app.endpoint
        .faults()
        .add(Fault::new(FaultAction::Status(503)).times(99));
    assert_eq!(app.get(&guild).await.status, 200);
    let reply = with(&app, Method::GET, &guild, &cookie).await;
    assert_eq!((reply.status, reply.text("/code")), (503, "unavailable"));
    app.leaves_unfinished(1);
}

/// A function that answers without Redis, with these keys, on the database of `app`.
async fn greeter(app: &TestApp, api_key: &str) -> (Host, String) {
    async fn greet(_: Context<()>) -> Result<http::Reply, ApiError> {
        Ok(http::Reply::ok(&json!({ "hello": true })))
    }
    const GREET: Spec = Spec::get("/greeting", "greet", "Greets.");
    let settings = FunctionsConfig {
        auth: AuthConfig {
            api_key: api_key.into(),
            admin_key: TestApp::ADMIN_KEY.into(),
        },
        ..app.config.clone()
    };
    let start = Start::new(Box::new(settings), app.clock.clone()).unwrap();
    let greeter = start.app((), vec![GREET.to(greet)]).unwrap();
    let functions = Functions {
        apps: vec![Function {
            name: "greeter",
            app: Arc::new(greeter),
        }],
        ..app.functions.clone()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/greeting", listener.local_addr().unwrap());
    (Host::start(listener, functions, false).unwrap(), url)
}

#[tokio::test]
async fn a_handler_that_needs_no_redis_answers_only_while_the_session_goes_on() {
    let (app, cookie) = signed_in().await;
    let (host, url) = greeter(&app, TestApp::API_KEY).await;
    let greet = async || {
        let request = app.http().get(&url).header("cookie", &cookie);
        app.send_plain(request).await
    };
    assert_eq!(greet().await.json, json!({ "hello": true }));
    with(&app, Method::DELETE, "/api/sessions", &cookie).await;
    let over = greet().await;
    assert_eq!((over.status, over.json.get("hello")), (401, None));
    host.stop().await;
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_session_ends_when_its_key_is_replaced() {
    let (app, cookie) = signed_in().await;
    let (host, url) = greeter(&app, "another-api-key-0123456789").await;
    app.endpoint.reset_meter();
    let request = app.http().get(&url).header("cookie", &cookie);
    assert_eq!(app.send_plain(request).await.status, 401);
    assert_eq!(cost(&app), (0, 0));
    host.stop().await;
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_page_signs_in_from_another_origin_and_acts_only_from_a_named_one() {
    let origin = "https://app.clips.example";
    let app = TestApp::start(Options {
        origins: vec![origin.to_owned(), "*".to_owned()],
        ..Options::default()
    })
    .await;
    let sign_in = app.http().post(app.path("/api/sessions"));
    let sign_in = sign_in.json(&json!({ "key": TestApp::API_KEY }));
    let set = app.send_plain(sign_in.header("origin", origin)).await;
    assert_eq!(set.header("access-control-allow-credentials"), Some("true"));
    let cookie = cookie(&set);
    let from = async |method, origin: &str, site: &str| {
        let path = app.path("/api/jobs/01J00000000000000000000000");
        let request = app.http().request(method, path).header("origin", origin);
        let request = request.header("sec-fetch-site", site);
        app.send_plain(request.header("cookie", &cookie)).await
    };
    // This job does not exist, which a permitted caller is told.
    let other = "https://blog.clips.example";
    for (method, origin, site, status) in [
        (Method::DELETE, origin, "same-site", 404),
        (
            Method::DELETE,
            "https://api.clips.example",
            "same-origin",
            404,
        ),
        (Method::DELETE, other, "same-site", 403),
        (Method::DELETE, other, "cross-site", 403),
        (Method::GET, other, "same-site", 404),
    ] {
        let reply = from(method.clone(), origin, site).await;
        assert_eq!(reply.status, status, "{method} from {origin}, {site}");
        if status == 403 {
            assert_eq!(reply.text("/code"), "foreign_origin");
        }
    }
}
