//! How soon a job starts after it was requested.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use integration::{Options, START_MS, TestApp};
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::QueueConfig;
use shared::waker::{INTERVAL, Wake, Waker};

use crate::scan::{CHANNEL, GUILD, guild_with};

const LINGER: Duration = Duration::from_secs(20);

/// A system whose drainers are woken and stay for a short time.
async fn app() -> TestApp {
    TestApp::start(Options {
        guild: guild_with(10, 1),
        wake: true,
        queue: QueueConfig {
            linger: LINGER,
            coalesce: Duration::ZERO,
            clock_skew: None,
            ..QueueConfig::default()
        },
        ..Options::default()
    })
    .await
}

fn message(n: u64) -> Value {
    json!({ "type": "message", "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(),
        "messageIds": [(CHANNEL + n).to_string()] })
}

async fn post(app: &TestApp, body: &Value) -> String {
    let reply = app.post("/api/jobs", body).await;
    assert_eq!(reply.status, 202, "{}", reply.json);
    reply.text("/jobs/0/jobId").to_owned()
}

/// Whether a job ends while the clock stands still. Bounded: the drainer works while this
/// polls.
async fn ends(app: &TestApp, id: &str) -> bool {
    for _ in 0..2000 {
        if app.job(id).await["state"] == "completed" {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn a_job_asked_for_just_after_another_is_as_quick() {
    let app = app().await;
    for pause in [0, 1, 100, 249, 250, 500, 1900, 2100] {
        app.advance(Duration::from_millis(pause));
        let first = post(&app, &message(1)).await;
        assert!(ends(&app, &first).await, "after {pause} ms");
        // While the drainer of the first job may still be running, or may just have
        // stopped.
        for after in [10, 200, 300, 700] {
            app.advance(Duration::from_millis(after));
            let next = post(&app, &message(2)).await;
            app.advance(INTERVAL);
            assert!(ends(&app, &next).await, "{after} ms after the one before");
        }
    }
}

#[tokio::test]
async fn the_last_of_a_burst_is_not_left_behind() {
    let app = app().await;
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(post(&app, &message(n)).await);
        app.advance(Duration::from_millis(20));
    }
    app.advance(INTERVAL);
    for id in &ids {
        assert!(ends(&app, id).await);
    }
}

#[tokio::test]
async fn neither_a_delayed_job_nor_a_duplicate_takes_another_jobs_wake() {
    let app = app().await;
    let later = app.clock.now_ms() + 3_600_000;
    let mut delayed = message(1);
    delayed["runAt"] = json!(later);
    post(&app, &delayed).await;
    let next = post(&app, &message(2)).await;
    assert!(ends(&app, &next).await, "after a delayed one");
    app.advance(Duration::from_secs(1));
    let scan = json!({ "guildId": GUILD.to_string(), "channelId": CHANNEL.to_string(),
        "runAt": later });
    for _ in 0..2 {
        assert_eq!(app.post("/api/jobs/scan", &scan).await.status, 202);
    }
    let next = post(&app, &message(3)).await;
    assert!(ends(&app, &next).await, "after a duplicate");
    app.leaves_unfinished(2);
}

#[tokio::test]
async fn a_lone_job_and_its_drainer_cost_no_more_than_the_table_says() {
    let app = app().await;
    // One-off requests are over: the scripts and the drainer's first sweep.
    let first = post(&app, &message(1)).await;
    assert!(ends(&app, &first).await);
    app.advance(Duration::from_secs(1));
    app.endpoint.reset_meter();
    let job = post(&app, &message(2)).await;
    // Our own polls do not count.
    let done = async || {
        let hsets = app.endpoint.meter().commands.get("zrem").copied();
        hsets.unwrap_or(0) > 0
    };
    while !done().await {
        tokio::task::yield_now().await;
    }
    app.advance(INTERVAL);
    let looks = async || app.endpoint.meter().requests.values().sum::<u64>();
    let mut before = 0;
    // Until no more requests are sent.
    for _ in 0..50 {
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        let now = looks().await;
        if now == before && now > 4 {
            break;
        }
        before = now;
    }
    let meter = app.endpoint.meter();
    let looked: u64 = meter.commands.get("zrange").copied().unwrap_or(0);
    // Two of them read the rows of the job's own message.
    assert!(looked <= 14, "{looked} ranges: {:?}", meter.commands);
    assert_eq!(app.job(&job).await["state"], "completed");
}

/// Counts wake-ups and fails when it is told to.
#[derive(Default)]
struct Counted {
    woken: AtomicUsize,
    fails: AtomicUsize,
}

struct Counting(Arc<Counted>);

impl Wake for Counting {
    fn wake(&self) -> BoxFuture<'_, Result<(), Box<dyn std::error::Error + Send + Sync>>> {
        async {
            self.0.woken.fetch_add(1, Ordering::SeqCst);
            let left = &self.0.fails;
            match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)) {
                Ok(_) => Err("nobody is there".into()),
                Err(_) => Ok(()),
            }
        }
        .boxed()
    }
}

fn waker(linger: Duration) -> (Waker, Arc<Counted>, Clock) {
    let (counted, clock) = (Arc::new(Counted::default()), Clock::manual(START_MS));
    let wake = Box::new(Counting(counted.clone()));
    (
        Waker::new(Some(wake), clock.clone(), linger),
        counted,
        clock,
    )
}

#[tokio::test]
async fn one_wake_serves_what_is_stored_in_the_same_moment_and_a_failed_one_nobody() {
    let (waker, counted, clock) = waker(LINGER);
    let woken = || counted.woken.load(Ordering::SeqCst);
    for _ in 0..10 {
        waker.wake(waker.before_storing()).await;
    }
    assert_eq!(woken(), 1);
    clock.advance(INTERVAL);
    counted.fails.store(2, Ordering::SeqCst);
    for _ in 0..5 {
        waker.wake(waker.before_storing()).await;
    }
    assert_eq!(woken(), 4, "two that failed, and one that did not");
}

#[tokio::test]
async fn the_interval_counts_from_before_the_job_was_stored() {
    let (waker, counted, clock) = waker(LINGER);
    let before = waker.before_storing();
    // Enqueueing took long, so that drainer may no longer see what is enqueued from now
    // on.
    clock.advance(INTERVAL);
    waker.wake(before).await;
    waker.wake(waker.before_storing()).await;
    assert_eq!(counted.woken.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn drainers_that_leave_at_once_are_woken_for_each_job() {
    let (waker, counted, _) = waker(Duration::ZERO);
    for _ in 0..3 {
        waker.wake(waker.before_storing()).await;
    }
    assert_eq!(counted.woken.load(Ordering::SeqCst), 3);
}
