//! A repeated request is carried out once and gets the same answer twice.

mod costs;
mod work;

use std::time::Duration;

use integration::{Options, Reply, START_MS, TestApp};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::idempotency::{Idempotency, PendingRequest, RequestState, StoredReply};
use shared::redis::{Pipeline, Redis};
use upstash_local::{Fault, FaultAction};

const ID: &str = "1200000000000000001";

fn message(n: u64) -> Value {
    json!({ "type": "message", "guildId": ID, "channelId": ID, "messageIds": [(1_200_000_000_000_000_100 + n).to_string()] })
}

pub async fn post(app: &TestApp, key: &str, body: &Value) -> Reply {
    let request = app.http().post(app.path("/api/jobs")).json(body);
    app.send(request.header("idempotency-key", key)).await
}

async fn n_jobs(app: &TestApp) -> usize {
    let jobs = app.get("/api/jobs?state=waiting&limit=100").await;
    jobs.json["jobs"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_request_is_answered_alike_for_a_day() {
    let app = TestApp::start(Options::default()).await;
    let first = post(&app, "k", &message(1)).await;
    assert_eq!(first.status, 202);
    assert_eq!(first.header("idempotency-replayed"), None);
    app.advance(Duration::from_secs(24 * 3600 - 60));
    let second = post(&app, "k", &message(1)).await;
    assert_eq!((second.status, &second.json), (202, &first.json));
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(second.header("content-type"), Some("application/json"));
    assert_eq!(n_jobs(&app).await, 1);
    app.advance(Duration::from_secs(120));
    let third = post(&app, "k", &message(1)).await;
    assert_ne!(third.json, first.json);
    assert_eq!(n_jobs(&app).await, 2);
    app.leaves_unfinished(2);
}

#[tokio::test]
async fn a_key_used_for_another_request_is_refused() {
    let app = TestApp::start(Options::default()).await;
    post(&app, "k", &message(1)).await;
    let other = post(&app, "k", &message(2)).await;
    assert_eq!((other.status, other.text("/code")), (422, "key_used"));
    let elsewhere = app
        .http()
        .post(app.path("/api/jobs/scan"))
        .json(&json!({ "guildId": "1200000000000000001", "channelId": "1200000000000000002" }));
    let elsewhere = app.send(elsewhere.header("idempotency-key", "k")).await;
    assert_eq!(elsewhere.status, 422);
    // The same key from another caller is a different key.
    let admin = app.http().post(app.path("/api/jobs")).json(&message(2));
    let admin = admin
        .header("idempotency-key", "k")
        .bearer_auth(TestApp::ADMIN_KEY);
    assert_eq!(app.send_plain(admin).await.status, 202);
    assert_eq!(n_jobs(&app).await, 2);
    app.leaves_unfinished(2);
}

#[tokio::test]
async fn idempotency_keys_work_for_sessions_as_for_api_keys() {
    let app = TestApp::start(Options::default()).await;
    let sign_in = app.http().post(app.path("/api/sessions"));
    let set = app.send_plain(sign_in.json(&json!({ "key": TestApp::API_KEY })));
    let set = set.await;
    let cookie = set.header("set-cookie").unwrap().split(';').next().unwrap();
    let post_signed_in = async || {
        let request = app.http().post(app.path("/api/jobs")).json(&message(1));
        let request = request.header("idempotency-key", "k");
        app.send_plain(request.header("cookie", cookie)).await
    };
    let first = post_signed_in().await;
    assert_eq!(first.status, 202);
    assert_eq!(post_signed_in().await.json, first.json);
    assert_eq!(post(&app, "k", &message(1)).await.json, first.json);
    assert_eq!(n_jobs(&app).await, 1);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn an_idempotency_key_that_is_invalid_or_would_have_no_effect_is_refused() {
    let app = TestApp::start(Options::default()).await;
    for key in ["", "a b", "sent,twice", &"k".repeat(256)] {
        let reply = post(&app, key, &message(1)).await;
        assert_eq!(reply.status, 400);
        assert!(reply.text("/detail").starts_with("idempotency-key:"));
    }
    let http = app.http();
    let job = "/api/jobs/01J00000000000000000000000";
    let settings = format!("/api/guilds/{ID}/settings");
    let credentials = json!({ "key": TestApp::API_KEY });
    for (request, detail) in [
        (
            http.get(app.path("/api/jobs")),
            "only POST takes this header",
        ),
        (http.delete(app.path(job)), "only POST takes this header"),
        (
            http.patch(app.path(&settings)).json(&json!({})),
            "only POST takes this header",
        ),
        (
            http.post(app.path("/api/sessions")).json(&credentials),
            "this route does not take this header",
        ),
    ] {
        let request = request.header("idempotency-key", "k");
        let reply = match detail.starts_with("this route") {
            true => app.send_plain(request).await,
            false => app.send(request).await,
        };
        assert_eq!((reply.status, reply.text("/code")), (400, "invalid_header"));
        assert_eq!(reply.text("/errors/0/header"), "idempotency-key");
        let found = reply.text("/errors/0/detail");
        assert!(found.starts_with(detail), "{found}");
    }
    assert_eq!(app.endpoint.meter().total, 0);
}

#[tokio::test]
async fn a_request_is_the_same_by_what_it_means_and_not_by_how_it_is_written() {
    let app = TestApp::start(Options::default()).await;
    let send = async |path: &str, body: String| {
        let request = app.http().post(app.path(path)).body(body);
        let request = request.header("content-type", "application/json");
        app.send(request.header("idempotency-key", "k")).await
    };
    let ids = format!(r#""guildId": "{ID}", "channelId": "{ID}""#);
    let first = send(
        "/api/jobs",
        format!(r#"{{"type": "batch", {ids}, "limit": 5}}"#),
    )
    .await;
    assert_eq!(first.status, 202, "{}", first.json);
    for same in [
        format!("{{ \n\"limit\":5,{ids},\"type\":\"batch\"}}"),
        format!(r#"{{{ids}, "t\u0079pe": "batch", "limit": 5}}"#),
    ] {
        let again = send("/api/jobs", same).await;
        assert_eq!((again.status, &again.json), (202, &first.json));
    }
    let slash = format!(r#"{{"type": "batch", {ids}, "limit": 5}}"#);
    assert_eq!(send("/api/jobs/", slash).await.json, first.json);
    for other in [
        format!(r#"{{"type": "batch", {ids}, "limit": 6}}"#),
        format!(r#"{{"type": "batch", {ids}, "limit": "5"}}"#),
        format!(r#"[{{"type": "batch", {ids}, "limit": 5}}]"#),
        format!(r#"{{"type": "batch", {ids}, "limit": 5}} "#) + "x",
    ] {
        let other = send("/api/jobs", other).await;
        let code = other.text("/code");
        assert!(
            matches!(code, "key_used" | "invalid_body" | "invalid_json"),
            "{code}"
        );
    }
    assert_eq!(n_jobs(&app).await, 1);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn an_invalid_request_may_be_corrected_and_sent_with_the_same_key() {
    let app = TestApp::start(Options::default()).await;
    assert_eq!(
        post(&app, "k", &json!({ "type": "message" })).await.status,
        400
    );
    assert_eq!(post(&app, "k", &message(1)).await.status, 202);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_crash_frees_the_key_when_the_functions_time_is_over() {
    let app = TestApp::start(Options::default()).await;
    // The request starts, and then nothing reaches Redis any more.
    let cut = Fault::new(FaultAction::DropBefore).skip(1).times(99);
    app.endpoint.faults().add(cut);
    assert_eq!(post(&app, "k", &message(1)).await.status, 503);
    app.endpoint.faults().clear();
    let busy = post(&app, "k", &message(1)).await;
    assert_eq!((busy.status, busy.text("/code")), (409, "in_progress"));
    assert_eq!(busy.header("retry-after"), Some("1"));
    assert_eq!(n_jobs(&app).await, 0);
    app.advance(Duration::from_secs(30));
    assert_eq!(post(&app, "k", &message(1)).await.status, 202);
    assert_eq!(n_jobs(&app).await, 1);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn an_internal_error_frees_the_key_at_once() {
    let app = TestApp::start(Options::default()).await;
    // Only the change fails: it was started before and is given up afterwards.
    let cut = Fault::new(FaultAction::Status(503))
        .matching("jobs:scan")
        .times(4);
    app.endpoint.faults().add(cut);
    assert_eq!(post(&app, "k", &message(1)).await.status, 503);
    assert_eq!(post(&app, "k", &message(1)).await.status, 202);
    assert_eq!(n_jobs(&app).await, 1);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_request_that_was_refused_by_its_limit_did_not_use_its_key() {
    let limits = shared::config::LimitsConfig {
        message: shared::config::LimitConfig::new(1, 60),
        ..integration::generous_limits()
    };
    let app = TestApp::start(Options {
        limits,
        ..Options::default()
    })
    .await;
    assert_eq!(post(&app, "a", &message(1)).await.status, 202);
    assert_eq!(post(&app, "b", &message(2)).await.status, 429);
    app.advance(Duration::from_secs(62));
    let later = post(&app, "b", &message(2)).await;
    assert_eq!(
        (later.status, later.header("idempotency-replayed")),
        (202, None)
    );
    app.leaves_unfinished(2);
}

#[tokio::test]
async fn a_lost_reply_anywhere_is_done_once_and_remembered() {
    for action in [
        FaultAction::DropBefore,
        FaultAction::DropAfterCommit,
        FaultAction::StatusAfterCommit(500),
        FaultAction::Duplicate,
    ] {
        for skip in 0..3 {
            let app = TestApp::start(Options::default()).await;
            // The scripts are cached, so that each call is one request.
            post(&app, "known", &message(0)).await;
            app.endpoint.faults().add(Fault::new(action).skip(skip));
            let first = post(&app, "k", &message(1)).await;
            assert_eq!(first.status, 202, "{action:?} at {skip}");
            let second = post(&app, "k", &message(1)).await;
            assert_eq!(second.json, first.json, "{action:?} at {skip}");
            assert_eq!(second.header("idempotency-replayed"), Some("true"));
            assert_eq!(n_jobs(&app).await, 2, "{action:?} at {skip}");
            app.leaves_unfinished(2);
            app.stop().await;
        }
    }
}

#[tokio::test]
async fn a_request_with_a_key_is_refused_while_redis_is_unavailable() {
    let app = TestApp::start(Options::default()).await;
    let cut = Fault::new(FaultAction::Status(503))
        .matching("idempotency:")
        .times(4);
    app.endpoint.faults().add(cut);
    assert_eq!(post(&app, "k", &message(1)).await.status, 503);
    assert_eq!(n_jobs(&app).await, 0);
}

/// The service on its own.
pub struct Bench {
    pub server: upstash_local::Server,
    pub clock: Clock,
    pub redis: Redis,
    pub service: Idempotency,
}

impl Bench {
    pub async fn start() -> Bench {
        let server = integration::start_endpoint().await;
        let clock = Clock::manual(START_MS);
        Bench {
            redis: crate::limits::client(&server, &clock),
            service: Idempotency::new("trawl:", clock.clone()),
            server,
            clock,
        }
    }

    pub fn pending(&self, body: &str) -> PendingRequest {
        let time = Duration::from_secs(29);
        self.service.pending("api", "k", &[body.as_bytes()], time)
    }

    pub async fn begin(&self, pending: &PendingRequest) -> RequestState {
        let mut pipeline = Pipeline::new();
        let slot = self.service.add_begin(&mut pipeline, pending);
        let mut replies = pipeline.send(&*self.redis).await.unwrap();
        self.service
            .read_begin(&mut replies, pending, slot)
            .unwrap()
    }
}

pub fn reply(body: &str) -> StoredReply {
    StoredReply {
        status: 202,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_owned(),
    }
}

#[tokio::test]
async fn a_run_that_timed_out_cannot_overwrite_its_successor() {
    let bench = Bench::start().await;
    let first = bench.pending("x");
    assert_eq!(bench.begin(&first).await, RequestState::New);
    bench.server.clock().advance(Duration::from_secs(30));
    bench.clock.advance(Duration::from_secs(30));
    let second = bench.pending("x");
    assert_eq!(bench.begin(&second).await, RequestState::New);
    // While the second one works, and after it is done.
    let (service, redis) = (&bench.service, &bench.redis);
    assert!(!service.complete(redis, &first, &reply("1")).await.unwrap());
    assert!(!service.give_up(redis, &first).await.unwrap());
    let until_ms = bench.clock.now_ms() + 29_000;
    assert_eq!(
        bench.begin(&bench.pending("x")).await,
        RequestState::InProgress { until_ms }
    );
    assert!(service.complete(redis, &second, &reply("2")).await.unwrap());
    assert!(!service.complete(redis, &first, &reply("1")).await.unwrap());
    assert!(!service.give_up(redis, &first).await.unwrap());
    assert_eq!(
        bench.begin(&bench.pending("x")).await,
        RequestState::Done(reply("2"))
    );
    assert_eq!(bench.begin(&bench.pending("y")).await, RequestState::Other);
}
