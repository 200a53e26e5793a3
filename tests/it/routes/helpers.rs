//! Further drainers: woken if one drainer cannot finish the waiting jobs, but by one hop
//! only.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use integration::{Options, Scripted, TestApp};
use serde_json::{Value, json};
use shared::config::QueueConfig;
use shared::queue::Consumer;
use shared::waker::{BY_DRAIN, LambdaWake};

use crate::queue::{Bench, config, until_running};
use crate::scan::{CHANNEL, guild_with};

/// Calls as the invoke API receives them: path, invocation type, event.
type Calls = Arc<Mutex<Vec<(String, String, Value)>>>;

/// A stand-in for Lambda's invoke API.
async fn invoke_api() -> (String, Calls) {
    let calls = Calls::default();
    let app = Router::new().fallback({
        let calls = calls.clone();
        async move |uri: Uri, headers: HeaderMap, body: String| {
            let kind = headers["x-amz-invocation-type"].to_str().unwrap();
            let event = serde_json::from_str(&body).unwrap();
            let call = (uri.path().to_owned(), kind.to_owned(), event);
            calls.lock().unwrap().push(call);
            StatusCode::ACCEPTED
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, calls)
}

/// Returns what a drainer invokes that was started by `source`, has concurrency 1 and a
/// long scan running, with 40 jobs waiting and 100 seconds left.
async fn invoked_by(source: &str, helpers: u32) -> Vec<(String, String, Value)> {
    let (url, calls) = invoke_api().await;
    let app = TestApp::start(Options {
        guild: guild_with(1500, 100),
        invoke_url: Some(url),
        page_interval: Duration::from_secs(9),
        queue: QueueConfig {
            concurrency: 1,
            helpers,
            linger: Duration::ZERO,
            coalesce: Duration::ZERO,
            clock_skew: None,
            ..QueueConfig::default()
        },
        ..Options::default()
    })
    .await;
    // Enqueued without waking a drainer.
    let queue = app.queue();
    let scan = json!({ "guildId": app.discord.guild().id.to_string(), "channelId": CHANNEL.to_string(),
        "scanMode": "backfill" });
    let job = |kind: &str, data: &Value| {
        let id = shared::queue::JobId::new(&app.clock);
        shared::queue::NewJob::new(id, kind, data).unwrap()
    };
    let mut first = job("scan", &scan);
    first.priority = 1;
    queue.enqueue(first).await.unwrap();
    let unknown = (0..40).map(|_| job("unknown", &json!({}))).collect();
    queue.enqueue_many(unknown).await.unwrap();

    let deadline = app.clock.deadline(Duration::from_secs(100));
    let stop = deadline.clone();
    let (drain, event) = (app.functions.drain.clone(), json!({ "source": source }));
    let task = tokio::spawn(async move { drain.run(&event, &deadline).await });
    // It has read a page and waits for the next.
    while app.channel_total(CHANNEL).await == 0 {}
    app.endpoint.reset_meter();
    app.advance(Duration::from_secs(20));
    // The round that renews the lease and sweeps is also the one that counts and wakes.
    while !app.endpoint.meter().commands.contains_key("zrandmember") {
        tokio::task::yield_now().await;
    }
    // Its work is handed back.
    stop.cut_to(Duration::from_secs(8));
    task.await.unwrap().unwrap();
    app.leaves_unfinished(41);
    let calls = calls.lock().unwrap();
    calls.clone()
}

fn call() -> (String, String, Value) {
    (
        "/2015-03-31/functions/drain/invocations".to_owned(),
        "Event".to_owned(),
        json!({ "source": "trawl.drain" }),
    )
}

#[tokio::test]
async fn a_drainer_of_the_schedule_or_the_waker_wakes_others_and_those_wake_none() {
    for source in ["aws.scheduler", "trawl.enqueue"] {
        let calls = invoked_by(source, 3).await;
        assert!((1..=3).contains(&calls.len()), "{source}: {calls:?}");
        assert!(calls.iter().all(|made| *made == call()), "{calls:?}");
    }
    assert_eq!(invoked_by("aws.scheduler", 0).await, []);
    assert_eq!(invoked_by("trawl.drain", 3).await, []);
}

/// How many drainers are woken by one with concurrency 1 and 100 seconds, whose job has
/// taken 20 s of them, while `n_waiting` more jobs wait.
async fn woken_for(n_waiting: usize) -> usize {
    let (url, calls) = invoke_api().await;
    let bench = Bench::with(QueueConfig {
        concurrency: 1,
        helpers: 3,
        ..config()
    })
    .await;
    let handler = Scripted::default().on("held", |_| std::future::pending());
    bench.enqueue("held").await;
    for _ in 0..n_waiting {
        bench.enqueue("work").await;
    }
    let consumer = Consumer::new(bench.queue.clone(), Arc::new(handler.clone()));
    let wake = LambdaWake::at_endpoint(&url, "drain", BY_DRAIN);
    let consumer = consumer.with_helpers(Arc::new(wake));
    let deadline = bench.clock.deadline(Duration::from_secs(100));
    let drain = tokio::spawn({
        let deadline = deadline.clone();
        async move { consumer.drain(&deadline).await.unwrap() }
    });
    until_running(&handler, 1).await;
    bench.server.reset_meter();
    bench.advance(Duration::from_secs(20));
    // The round that renews the lease also counts. Once it is over, nothing more is sent.
    while !bench.server.meter().commands.contains_key("zcount") {
        tokio::task::yield_now().await;
    }
    deadline.cut_to(Duration::ZERO);
    drain.await.unwrap();
    let calls = calls.lock().unwrap();
    assert!(calls.iter().all(|made| *made == call()), "{calls:?}");
    calls.len()
}

#[tokio::test]
async fn as_many_are_woken_as_the_backlog_takes_up_to_the_setting() {
    // One job per 20 s and 55 s left to claim: two more jobs can be done.
    assert_eq!(woken_for(2).await, 0);
    assert_eq!(woken_for(5).await, 1);
    assert_eq!(woken_for(8).await, 2);
    assert_eq!(woken_for(40).await, 3);
}
