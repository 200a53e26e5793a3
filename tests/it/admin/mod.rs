//! The admin routes.

mod counters;
mod flags;

use integration::{Reply, TestApp};
use serde_json::{Value, json};
use upstash_local::{Fault, FaultAction};

use crate::scan::{CHANNEL, guild_with};

async fn get(app: &TestApp, path: &str) -> Reply {
    let request = app.http().get(app.path(path));
    app.send_plain(request.bearer_auth(TestApp::ADMIN_KEY))
        .await
}

async fn put(app: &TestApp, path: &str, body: &Value) -> Reply {
    let request = app.http().put(app.path(path)).json(body);
    app.send_plain(request.bearer_auth(TestApp::ADMIN_KEY))
        .await
}

async fn post(app: &TestApp, path: &str) -> Reply {
    let request = app.http().post(app.path(path));
    app.send_plain(request.bearer_auth(TestApp::ADMIN_KEY))
        .await
}

#[tokio::test]
async fn only_the_admin_key_opens_these_routes() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    app.endpoint.reset_meter();
    for path in [
        "/api/admin/redis/metrics",
        "/api/admin/redis/stats",
        "/api/admin/queues",
        "/api/admin/flags",
        "/api/admin/counters?name=clips",
    ] {
        assert_eq!(app.get(path).await.status, 403, "{path}");
        let nobody = app.send_plain(app.http().get(app.path(path))).await;
        assert_eq!(nobody.status, 401, "{path}");
    }
    let pause = app.post("/api/admin/queues/scan/pause", &json!({})).await;
    assert_eq!((pause.status, app.endpoint.meter().total), (403, 0));
}

#[tokio::test]
async fn a_paused_queue_runs_nothing_until_it_is_resumed() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    app.scan(CHANNEL, json!({})).await;
    for _ in 0..2 {
        let reply = post(&app, "/api/admin/queues/scan/pause").await;
        assert_eq!((reply.status, &reply.json["paused"]), (200, &json!(true)));
    }
    assert_eq!(app.drain().await["claimed"], 0);
    let queues = get(&app, "/api/admin/queues").await;
    let queue = &queues.json["queues"][0];
    crate::assert_has(
        queue,
        &json!({ "name": "scan", "paused": true, "waiting": 1 }),
    );
    post(&app, "/api/admin/queues/scan/resume").await;
    assert_eq!(app.drain().await["completed"], 1);
    assert_eq!(
        post(&app, "/api/admin/queues/dance/pause").await.status,
        404
    );
}

#[tokio::test]
async fn failed_jobs_are_redriven_together() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    for n in 1..4 {
        app.scan(CHANNEL + n, json!({})).await;
    }
    assert_eq!(app.drain().await["failed"], 3);
    let reply = post(&app, "/api/admin/queues/scan/redrive").await;
    assert_eq!((reply.status, &reply.json["redriven"]), (200, &json!(3)));
    assert_eq!(app.drain().await["failed"], 3);
    app.leaves_failed(3);
}

#[tokio::test]
async fn metrics_report_known_values_and_null_for_the_rest() {
    let app = TestApp::with_guild(guild_with(10, 2)).await;
    app.scan(CHANNEL, json!({})).await;
    app.drain().await;
    app.endpoint.reset_meter();
    let reply = get(&app, "/api/admin/redis/metrics").await;
    assert_eq!((reply.status, app.cost().1), (200, 2));
    let json = &reply.json;
    crate::assert_has(json, &json!({ "connected": true, "connectedClients": 1 }));
    for unknown in ["memory", "hitRate", "operationsPerSecond", "uptimeSeconds"] {
        assert!(json[unknown].is_null(), "{unknown}: {json}");
    }
    assert_eq!(json["queues"]["scan"]["completed"], 1);
    let keyspace = &json["keyspace"];
    assert_eq!(keyspace["complete"], true);
    assert_eq!(keyspace["keys"], keyspace["sampledKeys"]);
    assert_eq!(keyspace["byPrefix"]["jobs"], 2);
    // Three for the guild, and one for each clip.
    assert_eq!(keyspace["byPrefix"]["clip"], 3 + 5);
}

#[tokio::test]
async fn stats_are_the_parsed_reply_of_the_server() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let reply = get(&app, "/api/admin/redis/stats").await;
    assert_eq!(
        (reply.status, &reply.json["connected"]),
        (200, &json!(true))
    );
    assert_eq!(reply.json["dbsize"], 0);
    assert_eq!(reply.json["info"]["redis_mode"], "standalone");
    assert_eq!(reply.json["memory"]["maxmemory"], "0");
    assert_eq!(reply.json["streams"], json!({ "scan:jobs": 0 }));
    app.endpoint.faults().add(Fault {
        times: 99,
        ..Fault::new(FaultAction::Status(503))
    });
    assert_eq!(get(&app, "/api/admin/redis/stats").await.status, 503);
}
