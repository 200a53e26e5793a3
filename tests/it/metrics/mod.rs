//! The metrics that every function writes, and the monthly command count.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use integration::{Options, TestApp};
use serde_json::{Value, json};
use shared::config::{LimitConfig, LimitsConfig};
use upstash_local::{Fault, FaultAction};

use crate::scan::{CHANNEL, guild_with};

/// A system and the metrics lines it wrote.
struct Measured {
    app: TestApp,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Measured {
    async fn start(options: Options) -> Measured {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        let app = TestApp::start(Options {
            guild: guild_with(30, 3),
            metrics: Some(Arc::new(move |line: &str| {
                sink.lock().unwrap().push(line.to_owned());
            })),
            ..options
        })
        .await;
        Measured { app, lines }
    }

    /// The lines since the last call.
    fn take(&self) -> Vec<Value> {
        let lines = std::mem::take(&mut *self.lines.lock().unwrap());
        lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The metric names that a line declares.
fn names(line: &Value) -> Vec<&str> {
    let metrics = &line["_aws"]["CloudWatchMetrics"][0]["Metrics"];
    let metrics = metrics.as_array().unwrap();
    metrics
        .iter()
        .map(|m| m["Name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn each_request_writes_one_line_and_each_metric_in_it_has_a_value() {
    let measured = Measured::start(Options::default()).await;
    let app = &measured.app;
    app.get("/api/jobs").await;
    assert_eq!(measured.take()[0]["ColdStarts"], 1.0);
    app.get("/api/jobs").await;
    app.send_plain(app.http().get(app.path("/api/jobs"))).await;
    let lines = measured.take();
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"][0]["Dimensions"],
            json!([["Stage", "Function"], ["Stage"]])
        );
        assert!(line["Stage"].is_string() && line["Function"].is_string());
        for name in names(line) {
            assert!(line[name].is_number() || line[name].is_array(), "{name}");
        }
        for name in ["Requests", "Errors", "Refusals", "Latency", "ColdStarts"] {
            assert!(names(line).contains(&name), "{name}");
        }
        assert_eq!(line["Requests"], 1.0);
    }
    assert_eq!(
        (&lines[0]["ColdStarts"], &lines[0]["RedisRequests"]),
        (&json!(0.0), &json!(1.0))
    );
    assert_eq!(
        (&lines[1]["ColdStarts"], &lines[1]["RedisRequests"]),
        (&json!(0.0), &json!(0.0))
    );
}

#[tokio::test]
async fn failures_of_redis_errors_and_refusals_are_counted() {
    let read = LimitConfig::new(2, 60);
    let measured = Measured::start(Options {
        limits: LimitsConfig {
            read,
            ..LimitsConfig::default()
        },
        ..Options::default()
    })
    .await;
    let app = &measured.app;
    app.endpoint
        .faults()
        .add(Fault::new(FaultAction::Status(503)).times(9));
    assert_eq!(app.get("/api/jobs").await.status, 503);
    app.endpoint.faults().clear();
    let line = &measured.take()[0];
    assert_eq!(line["Errors"], 1.0);
    assert!(line["RedisFailures"].as_f64().unwrap() >= 1.0);
    for status in [200, 200, 429] {
        assert_eq!(app.get("/api/jobs").await.status, status);
    }
    let refusals: Vec<Value> = measured
        .take()
        .iter()
        .map(|l| l["Refusals"].clone())
        .collect();
    assert_eq!(refusals, [0.0, 0.0, 1.0]);
}

#[tokio::test]
async fn a_drain_reports_its_jobs_and_the_rest_of_the_queue() {
    let measured = Measured::start(Options::default()).await;
    let app = &measured.app;
    app.drain().await;
    let idle = measured.take().pop().unwrap();
    crate::assert_has(&idle, &json!({ "QueueDepth": 0.0, "OldestWaiting": 0.0 }));
    app.scan(CHANNEL, json!({})).await;
    app.scan(CHANNEL + 1, json!({})).await;
    measured.take();
    app.drain().await;
    let busy = measured.take().pop().unwrap();
    crate::assert_has(
        &busy,
        &json!({ "Drains": 1.0, "JobsCompleted": 1.0, "JobsFailed": 1.0 }),
    );
    crate::assert_has(&busy, &json!({ "QueueDepth": 0.0, "DeadLetters": 1.0 }));

    app.queue().pause().await.unwrap();
    app.scan(CHANNEL + 2, json!({})).await;
    app.advance(Duration::from_secs(90));
    measured.take();
    app.drain().await;
    let paused = measured.take().pop().unwrap();
    crate::assert_has(
        &paused,
        &json!({ "QueueDepth": 1.0, "OldestWaiting": 90_000.0 }),
    );
    app.leaves_unfinished(1);
    app.leaves_failed(1);
}

#[tokio::test]
async fn the_cache_tells_hits_and_misses() {
    let measured = Measured::start(Options::default()).await;
    let app = &measured.app;
    let path = format!("/api/guilds/{}", guild_with(30, 3).id);
    for _ in 0..3 {
        assert_eq!(app.get(&path).await.status, 200);
    }
    let sum = |lines: &[Value], name: &str| -> f64 {
        lines.iter().filter_map(|line| line[name].as_f64()).sum()
    };
    let lines = measured.take();
    assert_eq!(
        (sum(&lines, "CacheMisses"), sum(&lines, "CacheHits")),
        (1.0, 2.0)
    );
}

#[tokio::test]
async fn the_commands_it_counts_are_about_those_that_are_billed() {
    let measured = Measured::start(Options::default()).await;
    let app = &measured.app;
    app.endpoint.reset_meter();
    for n in 0..4 {
        app.scan(
            CHANNEL,
            json!({ "scanMode": if n % 2 == 0 { "backfill" } else { "forward" } }),
        )
        .await;
        app.drain().await;
        app.get("/api/jobs").await;
        app.get("/api/scans/current").await;
    }
    let lines = measured.take();
    let counted: f64 = lines
        .iter()
        .map(|line| line["RedisCommands"].as_f64().unwrap())
        .sum();
    let billed = app.endpoint.meter().total as f64;
    assert!(
        (counted / billed - 1.0).abs() < 0.15,
        "{counted} of {billed}"
    );
}

#[tokio::test]
async fn the_months_commands_are_kept_for_one_more_in_a_hundred() {
    let measured = Measured::start(Options::default()).await;
    let app = &measured.app;
    app.endpoint.reset_meter();
    for _ in 0..200 {
        app.get("/api/jobs?state=waiting").await;
    }
    let meter = app.endpoint.meter();
    let saved = meter.commands["hincrby"];
    assert!(
        (1..=meter.total / 80).contains(&saved),
        "{saved} of {}",
        meter.total
    );

    let request = app.http().get(app.path("/api/admin/redis/metrics"));
    let reply = app
        .send_plain(request.bearer_auth(TestApp::ADMIN_KEY))
        .await;
    let budget = &reply.json["commandBudget"];
    let part = budget["used"].as_f64().unwrap() / meter.total as f64;
    assert!((0.8..1.25).contains(&part), "{budget} of {}", meter.total);
    assert_eq!(budget["limit"], 500_000);
    assert_eq!(budget["month"].as_str().unwrap().len(), 7);
    assert!(budget["share"].as_f64().unwrap() > 0.0);
}
