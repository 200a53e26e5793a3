//! Invalid input is refused, and the error says what is wrong.

use std::time::Duration;

use integration::{Options, Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::scan::{CHANNEL, GUILD, guild_with};

async fn app() -> TestApp {
    TestApp::with_guild(guild_with(10, 1)).await
}

fn place() -> Value {
    json!({ "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string() })
}

fn with(mut body: Value, more: Value) -> Value {
    let fields = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    body
}

/// A refusal that costs nothing.
async fn refused(app: &TestApp, reply: impl Future<Output = Reply>) -> String {
    app.endpoint.reset_meter();
    let reply = reply.await;
    assert_eq!((reply.status, app.cost().0), (400, 0), "{}", reply.json);
    let code = reply.text("/code");
    let codes = ["invalid_body", "invalid_parameter"];
    assert!(codes.contains(&code), "{code}");
    reply.text("/detail").to_owned()
}

async fn jobs_stored(app: &TestApp) -> usize {
    let jobs = app.get("/api/jobs").await.json["jobs"].clone();
    jobs.as_array().unwrap().len()
}

#[tokio::test]
async fn an_unknown_field_is_refused_with_the_one_that_was_meant() {
    let app = app().await;
    let scans = [
        (
            json!({ "options": { "maxMesages": 5 } }),
            "options.maxMesages: unknown field; did you mean maxMessages?",
        ),
        (
            json!({ "prioritty": 1 }),
            "prioritty: unknown field; did you mean priority?",
        ),
        (
            json!({ "maxMessages": 1 }),
            "maxMessages: unknown field; expected one of guildId, channelId, scanMode, options, priority, runAt",
        ),
    ];
    for (more, expected) in scans {
        let body = with(place(), more);
        assert_eq!(
            refused(&app, app.post("/api/jobs/scan", &body)).await,
            expected
        );
    }
    let job = |more| with(with(place(), json!({ "type": "batch" })), more);
    for (body, expected) in [
        (
            job(json!({ "autocontinue": true })),
            "autocontinue: unknown field; did you mean autoContinue?",
        ),
        (
            job(json!({ "scanMode": "forward" })),
            "scanMode: not a field of type batch",
        ),
        (
            with(job(json!({ "limit": 5 })), json!({ "type": "scan" })),
            "limit: not a field of type scan",
        ),
    ] {
        assert_eq!(refused(&app, app.post("/api/jobs", &body)).await, expected);
        let list = json!([job(json!({})), body]);
        let detail = refused(&app, app.post("/api/jobs", &list)).await;
        assert!(detail.starts_with("[1]."), "{detail}");
    }
    assert_eq!(jobs_stored(&app).await, 0);
}

#[tokio::test]
async fn a_switch_is_not_turned_off_by_a_field_it_does_not_have() {
    let app = app().await;
    let set = async |body: Value| {
        let put = app.http().put(app.path("/api/admin/flags/scans-off"));
        app.send_plain(put.bearer_auth(TestApp::ADMIN_KEY).json(&body))
            .await
    };
    assert_eq!(set(json!({ "on": true })).await.status, 200);
    let detail = refused(&app, set(json!({ "enabled": true }))).await;
    assert!(detail.starts_with("enabled: unknown field"), "{detail}");
    let get = app.http().get(app.path("/api/admin/flags/scans-off"));
    let shown = app.send_plain(get.bearer_auth(TestApp::ADMIN_KEY)).await;
    assert_eq!(shown.json["on"], true);
}

#[tokio::test]
async fn a_query_is_refused_that_is_unknown_repeated_or_unreadable() {
    let app = app().await;
    let id = app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    let clips = format!("/api/guilds/{GUILD}/clips");
    for (path, expected) in [
        (
            "/api/jobs?sate=failed",
            "sate: unknown query parameter; did you mean state?",
        ),
        (
            "/api/jobs?state=failed&state=waiting",
            "state: expected this query parameter once",
        ),
        (
            "/api/jobs?state=",
            "state: expected one of `waiting`, `delayed`, `active`, `completed`, `failed`, `cancelled`",
        ),
        (
            "/api/jobs?limit=0",
            "limit: expected a whole number from 1 to 100",
        ),
        (
            "/api/jobs?limit=+5",
            "limit: expected a whole number from 1 to 100",
        ),
        (
            "/api/jobs?limit=05",
            "limit: expected a whole number from 1 to 100",
        ),
        (
            "/api/scans/current?limit=5",
            "limit: unknown query parameter; this route takes none",
        ),
        (
            &format!("/api/jobs/{id}?purge=true"),
            "purge: unknown query parameter; this route takes none",
        ),
        (
            &format!("{clips}?chanelId=5"),
            "chanelId: unknown query parameter; did you mean channelId?",
        ),
        (
            &format!("{clips}?after=1700000000"),
            "after: expected unix milliseconds, or a time such as 2026-12-01T08:30:00Z; \
             1700000000 looks like seconds: send 1700000000000",
        ),
        (
            &format!("{clips}?channelId=0{CHANNEL}"),
            "channelId: expected a Discord id, 15 to 20 digits without a leading zero, or up to \
             20 of them, separated by commas",
        ),
    ] {
        assert_eq!(refused(&app, app.get(path)).await, expected, "{path}");
    }
    let purge = format!("/api/jobs/{id}?purge=maybe");
    let detail = refused(&app, app.delete(&purge)).await;
    assert_eq!(detail, "purge: expected `true` or `false`");
    let kept = app
        .get(&format!("{clips}?after=2026-01-01T00:00:00Z"))
        .await;
    assert_eq!(
        (kept.status, kept.json["clips"].as_array().unwrap().len()),
        (200, 9)
    );
}

#[tokio::test]
async fn an_id_with_a_leading_zero_is_no_second_name_of_a_channel() {
    let app = app().await;
    let zero = format!("0{CHANNEL}");
    let body = json!({ "guildId": GUILD.to_string(), "channelId": zero });
    let expected =
        "channelId: expected a Discord id, 15 to 20 digits without a leading zero, in quotes";
    assert_eq!(
        refused(&app, app.post("/api/jobs/scan", &body)).await,
        expected
    );
    let batch = with(body, json!({ "type": "batch" }));
    assert_eq!(refused(&app, app.post("/api/jobs", &batch)).await, expected);
    let message = with(
        place(),
        json!({ "type": "message", "messageIds": ["0123456789012345678"] }),
    );
    refused(&app, app.post("/api/jobs", &message)).await;
    let settings = json!({ "excludedChannelIds": [zero] });
    let put = app
        .http()
        .put(app.path(&format!("/api/guilds/{GUILD}/settings")));
    refused(&app, app.send(put.json(&settings))).await;
    for path in [
        format!("/api/guilds/0{GUILD}/clips"),
        format!("/api/guilds/0{GUILD}/settings"),
        format!("/api/guilds/{GUILD}/channels/{zero}/scan-status"),
    ] {
        refused(&app, app.get(&path)).await;
    }
    // A job from another program.
    let redis = &*app.redis;
    use shared::redis::commands::Streams as _;
    use shared::redis::commands::streams::Trim;
    let data = json!({ "guildId": GUILD.to_string(), "channelId": zero }).to_string();
    let entry = [("type", "scan"), ("data", data.as_str())];
    redis
        .xadd("scan:jobs", "*", Trim::No, &entry)
        .await
        .unwrap();
    app.drain().await;
    let failed = app.get("/api/jobs?state=failed").await.json;
    assert!(
        failed["jobs"][0]["failedReason"]
            .as_str()
            .unwrap()
            .contains("leading zero"),
        "{failed}"
    );
    app.leaves_failed(1);
}

#[tokio::test]
async fn a_time_is_milliseconds_or_rfc_3339_and_has_not_passed() {
    let app = app().await;
    let now = app.clock.now_ms();
    for (at, expected) in [
        (json!(now / 1000), "looks like seconds"),
        (json!(0), "expected unix milliseconds"),
        (
            json!(now - 60_000),
            "expected a time in the future, but it is 60 s in the past",
        ),
        (json!("yesterday"), "expected unix milliseconds"),
        (
            json!("2020-01-01T00:00:00Z"),
            "expected a time in the future",
        ),
        (json!(now + 400 * 86_400_000_i64), "at most a year ahead"),
    ] {
        for (path, body) in [
            ("/api/jobs/scan", place()),
            ("/api/jobs", with(place(), json!({ "type": "scan" }))),
            (
                "/api/jobs",
                with(
                    place(),
                    json!({ "type": "message", "messageIds": ["123456789012345678"] }),
                ),
            ),
        ] {
            let reply = app.post(path, &with(body, json!({ "runAt": at }))).await;
            assert_eq!(reply.status, 400, "{at} {}", reply.json);
            let detail = reply.text("/detail");
            assert!(
                detail.starts_with("runAt: ") && detail.contains(expected),
                "{detail}"
            );
        }
    }
    assert_eq!(jobs_stored(&app).await, 0);
    // A caller's clock that is slightly behind is not an error.
    let soon = with(place(), json!({ "runAt": now - 5000 }));
    assert_eq!(app.post("/api/jobs/scan", &soon).await.status, 202);
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_job_waits_for_its_time_whichever_route_it_came_by() {
    let app = app().await;
    let later = app.clock.now_ms() + 3_600_000;
    let at = rfc_3339(later);
    for (path, body, name) in [
        ("/api/jobs/scan", place(), "runAt"),
        (
            "/api/jobs",
            with(place(), json!({ "type": "batch", "direction": "backward" })),
            "runAt",
        ),
        (
            "/api/jobs",
            with(
                place(),
                json!({ "type": "message", "messageIds": ["123456789012345678"] }),
            ),
            "run_at",
        ),
    ] {
        for at in [json!(later), json!(at)] {
            let reply = app
                .post(path, &with(body.clone(), json!({ name: at })))
                .await;
            assert_eq!(reply.status, 202, "{path} {}", reply.json);
        }
    }
    assert_eq!(app.drain().await["claimed"], 0);
    let delayed = app.get("/api/jobs?state=delayed").await.json;
    let times: Vec<i64> = delayed["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["runAt"].as_i64().unwrap())
        .collect();
    assert!(
        times.len() >= 3 && times.iter().all(|time| *time / 1000 == later / 1000),
        "{times:?}"
    );
    app.advance(Duration::from_secs(3600));
    assert!(app.drain().await["claimed"].as_u64().unwrap() >= 3);
}

fn rfc_3339(ms: i64) -> String {
    format!("{:?}", chrono::DateTime::from_timestamp_millis(ms).unwrap())
}

#[tokio::test]
async fn a_request_sent_again_is_answered_although_its_time_has_passed() {
    let app = app().await;
    let body = with(place(), json!({ "runAt": app.clock.now_ms() + 1000 }));
    let send = async || {
        let post = app.http().post(app.path("/api/jobs/scan"));
        app.send(post.header("idempotency-key", "once").json(&body))
            .await
    };
    let first = send().await;
    app.advance(Duration::from_secs(600));
    let again = send().await;
    assert_eq!((again.status, &again.json), (202, &first.json));
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_header_that_cannot_be_read_is_not_an_absent_one() {
    let app = app().await;
    let path = app.path("/api/jobs/scan");
    for name in [
        "idempotency-key",
        "authorization",
        "sec-fetch-site",
        "x-sync-token",
        "traceparent",
        "if-match",
        "if-none-match",
        "origin",
        "content-type",
    ] {
        for value in ["größe-77".as_bytes(), b"\xff\xfe", "😀".as_bytes()] {
            let value = reqwest::header::HeaderValue::from_bytes(value).unwrap();
            let mut request = app.http().post(&path).json(&place());
            if name != "authorization" {
                request = request.bearer_auth(TestApp::API_KEY);
            }
            let mut request = request.build().unwrap();
            request.headers_mut().insert(name, value);
            let response = app.http().execute(request).await.unwrap();
            // The development host refuses pages of other sites before anything runs.
            if matches!(name, "sec-fetch-site" | "origin") && response.status() == 403 {
                continue;
            }
            assert_eq!(response.status(), 400, "{name}");
            let body: Value = response.json().await.unwrap();
            let detail = body["detail"].as_str().unwrap();
            assert!(detail.starts_with(&format!("{name}: ")), "{detail}");
        }
    }
    assert_eq!(jobs_stored(&app).await, 0);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_told_all_that_it_takes() {
    let app = app().await;
    for (path, allow) in [
        ("/api/jobs", "GET, HEAD, POST"),
        ("/api/jobs/01J00000000000000000000000", "GET, HEAD, DELETE"),
        ("/api/sessions", "POST, DELETE"),
        (
            &format!("/api/guilds/{GUILD}/settings"),
            "GET, HEAD, PUT, PATCH",
        ),
    ] {
        let method = Method::from_bytes(b"QUERY").unwrap();
        let reply = app.send(app.http().request(method, app.path(path))).await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, Some(allow)),
            "{path}"
        );
    }
}

#[tokio::test]
async fn head_is_answered_as_get_without_the_body() {
    let app = app().await;
    let id = app.scan(CHANNEL, json!({})).await;
    let missing = "/api/jobs/01J00000000000000000000000".to_owned();
    for path in [
        "/api/jobs".to_owned(),
        format!("/api/jobs/{id}"),
        missing,
        format!("/api/guilds/{GUILD}/clips"),
        format!("/api/guilds/{GUILD}/settings"),
        format!("/api/scans/stream/{id}"),
        "/api/health/redis".to_owned(),
    ] {
        let get = app.get(&path).await;
        let head = app.send(app.http().head(app.path(&path))).await;
        assert_eq!(
            (head.status, &head.json),
            (get.status, &Value::Null),
            "{path}"
        );
        let length = get.header("content-length");
        assert!(length.is_some(), "{path}");
        for name in [
            "content-type",
            "content-length",
            "x-ratelimit-limit",
            "etag",
        ] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
    app.leaves_unfinished(1);
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_a_problem_a_page_can_read() {
    let page = "https://clips.example.org";
    let app = TestApp::start(Options {
        origins: vec![page.to_owned()],
        ..Options::default()
    })
    .await;
    for path in ["/api/nothing", "/api", "/api/jobs/a/b/c"] {
        let reply = app
            .send(app.http().get(app.path(path)).header("origin", page))
            .await;
        assert_eq!(
            (reply.status, reply.text("/code")),
            (404, "route_not_found"),
            "{path}"
        );
        assert_eq!(
            reply.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(reply.header("access-control-allow-origin"), Some(page));
    }
}
