//! The invoke call and the drainer that it wakes.

use std::time::Duration;

use integration::{Options, TestApp};
use serde_json::json;

use crate::scan::{CHANNEL, guild_with};

#[tokio::test]
async fn a_scan_wakes_a_drainer_by_an_asynchronous_invoke() {
    let app = TestApp::start(Options {
        guild: guild_with(50, 1),
        wake: true,
        ..Options::default()
    })
    .await;
    let id = app.scan(CHANNEL, json!({})).await;
    // Bounded: the drainer works while this polls.
    for _ in 0..10_000 {
        if app.job(&id).await["state"] == "completed" {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("nobody was woken: {}", app.job(&id).await);
}

#[tokio::test]
async fn an_event_file_of_a_route_is_answered_by_its_function() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    let event = |key: &str| {
        json!({
            "version": "2.0", "routeKey": "GET /api/jobs/{jobId}", "rawPath": "/api/jobs/01J00000000000000000000000",
            "rawQueryString": "", "headers": { "authorization": format!("Bearer {key}") }, "isBase64Encoded": false,
            "requestContext": { "http": { "method": "GET", "path": "/api/jobs/01J00000000000000000000000", "protocol": "HTTP/1.1", "sourceIp": "1.2.3.4", "userAgent": "" }, "stage": "$default", "timeEpoch": 0 },
        })
    };
    let path = "/2015-03-31/functions/jobs/invocations";
    let found = app.post(path, &event(TestApp::API_KEY)).await;
    assert_eq!(
        (found.status, &found.json["statusCode"]),
        (200, &json!(404))
    );
    let refused = app.post(path, &event("no")).await;
    assert_eq!(refused.json["statusCode"], 401);
    let poison = app.post(path, &json!({ "hello": 1 })).await;
    assert_eq!(
        (poison.status, poison.text("/errorType")),
        (200, "Runtime.UnmarshalError")
    );
    assert_eq!(
        app.post("/2015-03-31/functions/nobody/invocations", &json!({}))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn an_idle_minute_costs_one_command_and_an_idle_hour_at_most_72() {
    let app = TestApp::with_guild(guild_with(1, 1)).await;
    // Finished jobs exist, and the scripts of the hourly chores are cached.
    app.scan(CHANNEL, serde_json::json!({})).await;
    app.drain().await;
    let minute = async || {
        app.advance(Duration::from_secs(60));
        app.endpoint.reset_meter();
        app.drain().await;
        app.endpoint.meter().total
    };
    for _ in 0..60 {
        minute().await;
    }
    let mut costs = Vec::new();
    for _ in 0..60 {
        costs.push(minute().await);
    }
    costs.sort_unstable();
    assert_eq!(costs[..59], [1; 59]);
    assert!(costs.iter().sum::<u64>() <= 72, "{costs:?}");
}
