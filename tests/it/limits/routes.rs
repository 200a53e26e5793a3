//! Rate limits as the callers of the routes see them.

use std::time::Duration;

use integration::{Options, Reply, TestApp};
use serde_json::json;
use shared::config::{LimitConfig, LimitsConfig};
use shared::rate_limiter::{RateLimiter, Rule};
use upstash_local::{Fault, FaultAction};

const JOB: &str = "/api/jobs/01J00000000000000000000000";
const ID: &str = "1200000000000000001";

async fn app(limits: LimitsConfig) -> TestApp {
    let app = TestApp::start(Options {
        limits,
        ..Options::default()
    })
    .await;
    // The scripts are cached before anything is counted.
    app.get("/api/jobs?state=waiting").await;
    app.post("/api/jobs/scan", &scan(0)).await;
    app.advance(Duration::from_secs(3600));
    app.endpoint.reset_meter();
    app
}

fn limits() -> LimitsConfig {
    LimitsConfig {
        read: LimitConfig::new(2, 60),
        api: LimitConfig::new(2, 60),
        message: LimitConfig::new(1, 60),
        ..LimitsConfig::default()
    }
}

fn scan(n: u64) -> serde_json::Value {
    let channel = 1_200_000_000_000_000_100 + n;
    json!({ "guildId": ID, "channelId": channel.to_string() })
}

fn trips(app: &TestApp) -> u64 {
    app.cost().1
}

fn number(reply: &Reply, name: &str) -> i64 {
    let text = reply.header(name).unwrap_or_else(|| panic!("no {name}"));
    text.parse().unwrap()
}

#[tokio::test]
async fn every_reply_reports_the_callers_limit() {
    let app = app(LimitsConfig::default()).await;
    let reply = app.get("/api/jobs?state=waiting").await;
    assert_eq!(reply.status, 200);
    assert_eq!(number(&reply, "x-ratelimit-limit"), 600);
    assert_eq!(number(&reply, "x-ratelimit-remaining"), 599);
    let reset = number(&reply, "x-ratelimit-reset");
    let left_ms = reset - app.clock.now_ms();
    assert!((60_000..=62_000).contains(&left_ms), "{left_ms}");
    assert_eq!(
        reply.header("ratelimit-policy"),
        Some("\"read\";q=600;w=60")
    );
    // The last part of the window ends after it; `t` is never above `w`.
    assert_eq!(reply.header("ratelimit"), Some("\"read\";r=599;t=60"));
    let missing = app.get(JOB).await;
    assert_eq!(
        (missing.status, number(&missing, "x-ratelimit-remaining")),
        (404, 598)
    );
    let created = app.post("/api/jobs/scan", &scan(1)).await;
    assert_eq!(
        (created.status, number(&created, "x-ratelimit-limit")),
        (202, 60)
    );
    app.leaves_unfinished(2);
}

/// The limit and the remaining calls. Checks that the other headers agree.
fn standing(reply: &Reply) -> (i64, i64) {
    let limit = number(reply, "x-ratelimit-limit");
    let remaining = number(reply, "x-ratelimit-remaining");
    assert!(number(reply, "x-ratelimit-reset") >= integration::START_MS);
    let policy = reply.header("ratelimit-policy").unwrap();
    assert!(policy.contains(&format!(";q={limit};w=")), "{policy}");
    let left = reply.header("ratelimit").unwrap();
    assert!(left.contains(&format!(";r={remaining};t=")), "{left}");
    (limit, remaining)
}

#[tokio::test]
async fn every_refusal_reports_the_callers_limit_and_costs_nothing() {
    let app = app(LimitsConfig::default()).await;
    app.get("/api/jobs?state=waiting").await;
    app.endpoint.reset_meter();
    let url = |path: &str| app.path(path);
    let (http, key) = (app.http(), TestApp::API_KEY);
    let metrics = "/api/admin/redis/metrics";
    // A caller without a valid key has used nothing; for one with a key, this process
    // knows its use.
    for (request, status, expected) in [
        (http.get(url(JOB)), 401, (600, 600)),
        (http.post(url("/api/jobs")), 401, (60, 60)),
        (http.get(url(metrics)).bearer_auth(key), 403, (600, 599)),
        (
            http.get(url("/api/jobs/x")).bearer_auth(key),
            400,
            (600, 599),
        ),
        (http.put(url(JOB)).bearer_auth(key), 405, (60, 60)),
        (http.post(url("/api/jobs")).bearer_auth(key), 415, (60, 60)),
        (
            http.post(url("/api/sessions")).json(&json!({})),
            400,
            (5, 5),
        ),
    ] {
        let reply = app.send_plain(request).await;
        assert_eq!((reply.status, standing(&reply)), (status, expected));
    }
    // The gateway answers unknown paths. If one reaches a function, the function answers
    // it.
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/api/nothing", "rawQueryString": "",
        "headers": { "authorization": format!("Bearer {key}") }, "isBase64Encoded": false,
        "requestContext": { "http": { "method": "GET", "path": "/api/nothing", "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1", "userAgent": "" }, "stage": "$default", "timeEpoch": 0 },
    });
    let invoke = "/2015-03-31/functions/jobs/invocations";
    let nowhere = app.post(invoke, &event).await.json;
    let headers = &nowhere["headers"];
    assert_eq!(
        (&nowhere["statusCode"], &headers["x-ratelimit-remaining"]),
        (&json!(404), &json!("599"))
    );
    assert_eq!(app.endpoint.meter().total, 0);
    // This knowledge expires with the window.
    app.advance(Duration::from_secs(62));
    let reply = app.get("/api/jobs/x").await;
    assert_eq!((reply.status, standing(&reply)), (400, (600, 600)));
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_read_and_its_limit_are_one_round_trip() {
    let app = app(LimitsConfig::default()).await;
    for (path, billed) in [
        (JOB.to_owned(), 4),
        ("/api/jobs?state=waiting".to_owned(), 6),
        (JOB.replace("jobs", "scans/stream"), 5),
    ] {
        app.get(&path).await;
        app.endpoint.reset_meter();
        app.get(&path).await;
        assert_eq!(app.cost(), (billed, 1), "{path}");
    }
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_change_and_its_limit_are_two_round_trips() {
    let app = app(LimitsConfig::default()).await;
    app.post("/api/jobs/scan", &scan(1)).await;
    assert_eq!(trips(&app), 2);
    app.leaves_unfinished(2);
}

#[tokio::test]
async fn a_refused_caller_is_told_when_to_retry_and_then_served() {
    let app = app(limits()).await;
    for _ in 0..2 {
        assert_eq!(app.get(JOB).await.status, 404);
    }
    let refused = app.get(JOB).await;
    assert_eq!(
        (refused.status, refused.text("/code")),
        (429, "too_many_requests")
    );
    assert_eq!(refused.text("/error"), "Too Many Requests");
    assert_eq!(
        refused.header("content-type"),
        Some("application/problem+json")
    );
    let reset = refused.json["resetAt"].as_i64().unwrap();
    assert_eq!(number(&refused, "x-ratelimit-reset"), reset);
    assert_eq!(number(&refused, "x-ratelimit-remaining"), 0);
    let wait = number(&refused, "retry-after");
    assert_eq!(
        wait as u64,
        ((reset - app.clock.now_ms()) as u64).div_ceil(1000)
    );
    // Other actions and other keys have separate limits.
    assert_eq!(app.post("/api/jobs/scan", &scan(1)).await.status, 202);
    let admin = app
        .http()
        .get(app.path(JOB))
        .bearer_auth(TestApp::ADMIN_KEY);
    assert_eq!(app.send_plain(admin).await.status, 404);
    // Refused calls did not postpone this.
    app.advance(Duration::from_secs(wait as u64));
    assert_eq!(app.get(JOB).await.status, 404);
    app.leaves_unfinished(2);
}

#[tokio::test]
async fn a_refusal_costs_two_commands_beside_the_read_and_the_next_none() {
    let app = app(limits()).await;
    for _ in 0..2 {
        app.get(JOB).await;
    }
    app.endpoint.reset_meter();
    assert_eq!(app.get(JOB).await.status, 429);
    assert_eq!((app.endpoint.meter().total, trips(&app)), (3, 1));
    app.endpoint.reset_meter();
    assert_eq!(app.get(JOB).await.status, 429);
    assert_eq!(app.endpoint.meter().total, 0);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_refused_change_changes_nothing() {
    let app = app(limits()).await;
    for n in 1..=2 {
        assert_eq!(app.post("/api/jobs/scan", &scan(n)).await.status, 202);
    }
    app.endpoint.reset_meter();
    let refused = app.post("/api/jobs/scan", &scan(3)).await;
    // Including the commands of the earlier read.
    assert_eq!((refused.status, app.endpoint.meter().total), (429, 4));
    let waiting = app.get("/api/jobs?state=waiting").await;
    assert_eq!(waiting.json["jobs"].as_array().unwrap().len(), 3);
    app.leaves_unfinished(3);
}

#[tokio::test]
async fn jobs_for_messages_have_a_limit_of_their_own() {
    let app = app(limits()).await;
    let message = json!({ "type": "message", "guildId": ID, "channelId": ID, "messageIds": [ID] });
    let first = app.post("/api/jobs", &message).await;
    assert_eq!(
        (first.status, first.header("x-ratelimit-limit")),
        (202, Some("1"))
    );
    assert_eq!(app.post("/api/jobs", &json!([message])).await.status, 429);
    assert_eq!(app.post("/api/jobs/scan", &scan(1)).await.status, 202);
    app.leaves_unfinished(3);
}

#[tokio::test]
async fn a_request_that_needs_no_redis_counts_nothing() {
    let app = app(limits()).await;
    for _ in 0..5 {
        let reply = app.get("/api/jobs/x").await;
        assert_eq!((reply.status, standing(&reply)), (400, (2, 2)));
    }
    assert_eq!(app.endpoint.meter().total, 0);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_limit_that_cannot_be_checked_is_marked_and_lets_reads_and_changes_through() {
    let app = app(limits()).await;
    let away = |action| app.endpoint.faults().add(Fault::new(action).times(99));
    away(FaultAction::Status(503));
    let read = app.get(JOB).await;
    assert_eq!(
        (read.status, read.header("x-ratelimit-status")),
        (503, Some("unavailable"))
    );
    assert_eq!(standing(&read), (2, 2));
    app.endpoint.faults().clear();
    // Only the check fails, in all tries of one request.
    let check = Fault::new(FaultAction::Status(503))
        .matching("ratelimit:")
        .times(4);
    app.endpoint.faults().add(check);
    let change = app.post("/api/jobs/scan", &scan(1)).await;
    assert_eq!(
        (change.status, change.header("x-ratelimit-status")),
        (202, Some("unavailable"))
    );
    assert_eq!(app.endpoint.faults().fired(), 8);
    app.leaves_unfinished(2);
}

#[tokio::test]
async fn a_lost_reply_counts_once_and_changes_once() {
    let app = app(LimitsConfig::default()).await;
    for (n, action) in [
        FaultAction::DropAfterCommit,
        FaultAction::StatusAfterCommit(500),
    ]
    .into_iter()
    .enumerate()
    {
        for skip in 0..2 {
            app.endpoint.faults().add(Fault::new(action).skip(skip));
            let n = 2 * n as u32 + skip;
            let reply = app.post("/api/jobs/scan", &scan(u64::from(n) + 1)).await;
            assert_eq!(reply.status, 202);
            assert_eq!(number(&reply, "x-ratelimit-remaining"), i64::from(59 - n));
        }
    }
    let jobs = app.get("/api/jobs?state=waiting").await;
    assert_eq!(jobs.json["jobs"].as_array().unwrap().len(), 5);
    app.leaves_unfinished(5);
}

async fn sign_in(app: &TestApp, key: &str) -> Reply {
    let request = app.http().post(app.path("/api/sessions"));
    app.send_plain(request.json(&json!({ "key": key }))).await
}

#[tokio::test]
async fn a_guesser_has_five_tries_and_none_while_they_cannot_be_counted() {
    let app = app(LimitsConfig::default()).await;
    app.endpoint
        .faults()
        .add(Fault::new(FaultAction::Status(503)).times(99));
    let unknown = sign_in(&app, "guess").await;
    assert_eq!(
        (unknown.status, unknown.text("/code")),
        (503, "limit_unknown")
    );
    assert_eq!(unknown.header("x-ratelimit-status"), Some("unavailable"));
    app.endpoint.faults().clear();
    for left in (0..5).rev() {
        let reply = sign_in(&app, "guess").await;
        assert_eq!(
            (reply.status, number(&reply, "x-ratelimit-remaining")),
            (401, left)
        );
    }
    // The correct key comes too late.
    let refused = sign_in(&app, TestApp::API_KEY).await;
    assert_eq!(refused.status, 429);
    assert!(number(&refused, "retry-after") > 890);
    // A forged header does not change the caller's address.
    let forged = app.http().post(app.path("/api/sessions"));
    let forged = forged.header("x-forwarded-for", "192.0.2.1");
    let body = json!({ "key": TestApp::API_KEY });
    assert_eq!(app.send_plain(forged.json(&body)).await.status, 429);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_signed_in_caller_is_limited_as_the_user_of_the_session() {
    let app = app(limits()).await;
    let set = sign_in(&app, TestApp::API_KEY).await;
    let cookie = set.header("set-cookie").unwrap().split(';').next().unwrap();
    let read = async || {
        let request = app.http().get(app.path(JOB)).header("cookie", cookie);
        app.send_plain(request).await
    };
    let first = read().await;
    assert_eq!(
        (first.status, number(&first, "x-ratelimit-remaining")),
        (404, 1)
    );
    // The key itself belongs to the same caller.
    assert_eq!(app.get(JOB).await.status, 404);
    assert_eq!(read().await.status, 429);
    let change = app.http().post(app.path("/api/jobs/scan")).json(&scan(1));
    let change = app.send_plain(change.header("cookie", cookie)).await;
    assert_eq!(
        (change.status, number(&change, "x-ratelimit-remaining")),
        (202, 1)
    );
    app.leaves_unfinished(2);
}

#[tokio::test]
async fn a_handler_that_does_not_wait_for_the_check_is_refused_all_the_same() {
    let app = app(limits()).await;
    // Another environment has used up the limit; this one does not know.
    let limiter = RateLimiter::new(&app.key_prefix, app.clock.clone());
    let rule = Rule::new("read", 2, Duration::from_secs(60));
    let call = || limiter.call(&rule, "api:127.0.0.1", 1);
    for _ in 0..2 {
        assert!(limiter.check(&app.redis, &call()).await.admitted);
    }
    // The cache gives up on the slow database and asks Discord.
    let held = Fault::new(FaultAction::Delay(Duration::from_secs(3600)));
    app.endpoint.faults().add(held);
    let guild = format!("/api/guilds/{ID}");
    let give_up = async {
        while app.endpoint.faults().fired() == 0 {
            tokio::task::yield_now().await;
        }
        app.advance(Duration::from_secs(1));
    };
    let (reply, ()) = tokio::join!(app.get(&guild), give_up);
    assert_eq!(reply.status, 429, "{}", reply.json);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_refused_request_leaves_no_task_behind() {
    let app = app(limits()).await;
    let path = format!("/api/guilds/{ID}/settings");
    let patch = async || {
        let request = app.http().patch(app.path(&path));
        let request = request.json(&json!({ "priority": 3 }));
        app.send(request).await.status
    };
    while patch().await != 429 {}
    let n_tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = n_tasks();
    for _ in 0..50 {
        assert_eq!(patch().await, 429);
    }
    // Connections open and close.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(n_tasks() < before + 25, "{} after {before}", n_tasks());
    app.leaves_unfinished(1);
}
