//! The cost of options, in addition to the transitions in `costs`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use integration::Scripted;
use serde_json::json;
use shared::config::{QueueConfig, Rate};
use shared::queue::{
    Consumer, JobId, JobState, Missed, NewJob, OnUnique, Outcome, Recurring, Schedule, Slots,
};
use shared::redis::commands::Streams as _;
use shared::redis::commands::streams::Trim;
use shared::waker::Wake;

use super::{Bench, config, scripted, until_running};

/// Rows of the golden file.
#[derive(Default)]
struct Rows(Vec<String>);

impl Rows {
    fn add(&mut self, bench: &Bench, name: &str) {
        let meter = bench.server.meter();
        let trips: u64 = meter.requests.values().sum();
        let billed = meter.total;
        self.0
            .push(format!("{name}: {billed} billed, {trips} round trips"));
        bench.server.reset_meter();
    }
}

/// A queue whose scripts are cached and whose retention has run.
async fn warm(config: QueueConfig, handler: &Scripted) -> Bench {
    let bench = Bench::with(config).await;
    let id = bench.enqueue("never").await;
    bench.drain(handler).await;
    bench.queue.redrive(&id).await.unwrap();
    bench.queue.change(&id, Some(5), None).await.unwrap();
    bench.queue.cancel(&id).await.unwrap();
    bench.queue.purge(&id).await.unwrap();
    bench.queue.audit().await.unwrap();
    bench
        .queue
        .list(Some(JobState::Waiting), None, 1)
        .await
        .unwrap();
    bench.server.reset_meter();
    bench
}

/// The life of one job under a setting.
async fn with_setting(rows: &mut Rows, name: &str, config: QueueConfig) {
    let handler = scripted();
    let bench = warm(config, &handler).await;
    bench.enqueue("work").await;
    rows.add(&bench, &format!("{name}: enqueue"));
    bench.drain(&handler).await;
    rows.add(&bench, &format!("{name}: claim, settle and look"));
}

/// A waker that does nothing.
struct Nobody;

impl Wake for Nobody {
    fn wake(&self) -> BoxFuture<'_, Result<(), Box<dyn std::error::Error + Send + Sync>>> {
        async { Ok(()) }.boxed()
    }
}

/// One round of a drainer at full concurrency, 20 s after its jobs started.
async fn renewal(rows: &mut Rows, name: &str, counts: bool) {
    let (signalled, mut signals) = tokio::sync::mpsc::unbounded_channel();
    let handler = scripted().on("stopped", move |mut job| {
        let signalled = signalled.clone();
        async move {
            job.interrupted().await;
            signalled.send(()).unwrap();
            std::future::pending().await
        }
    });
    let config = QueueConfig {
        concurrency: 2,
        ..config()
    };
    let bench = warm(config, &handler).await;
    for _ in 0..2 {
        let id = bench.enqueue("stopped").await;
        bench.queue.change(&id, Some(1), None).await.unwrap();
    }
    let mut consumer = Consumer::new(bench.queue.clone(), Arc::new(handler.clone()));
    if counts {
        consumer = consumer.with_helpers(Arc::new(Nobody));
    }
    let deadline = bench.clock.deadline(Duration::from_secs(900));
    let drain = tokio::spawn(async move { consumer.drain(&deadline).await });
    until_running(&handler, 2).await;
    // The renewal tells them to stop.
    for (id, _) in handler.ran() {
        bench
            .queue
            .cancel(&JobId::parse(&id).unwrap())
            .await
            .unwrap();
    }
    bench.server.reset_meter();
    bench.advance(Duration::from_secs(20));
    signals.recv().await.unwrap();
    rows.add(&bench, name);
    drain.abort();
}

#[tokio::test]
async fn options_cost_what_the_golden_file_says() {
    let mut rows = Rows::default();
    let active = QueueConfig {
        active_limit: Some(25),
        ..config()
    };
    with_setting(&mut rows, "limit of all", active).await;
    let pace = Rate {
        interval: Duration::from_secs(1),
        burst: 5,
    };
    with_setting(
        &mut rows,
        "pace",
        QueueConfig {
            rate: Some(pace),
            ..config()
        },
    )
    .await;
    with_setting(
        &mut rows,
        "backlog",
        QueueConfig {
            backlog: Some(99),
            ..config()
        },
    )
    .await;
    with_setting(
        &mut rows,
        "events",
        QueueConfig {
            events: true,
            ..config()
        },
    )
    .await;
    groups(&mut rows).await;
    followers(&mut rows).await;
    keys_and_sizes(&mut rows).await;
    operations(&mut rows).await;
    sources(&mut rows).await;
    crate::golden("queue-costs-options", &rows.0);
}

async fn groups(rows: &mut Rows) {
    let handler = scripted();
    let limited = QueueConfig {
        group_limit: Some(1),
        ..config()
    };
    let bench = warm(limited, &handler).await;
    let job = || NewJob {
        group: Some("g".into()),
        ..bench.job("work")
    };
    bench.drain(&handler).await;
    rows.add(&bench, "groups: look at an empty queue, with sweep");
    bench.enqueue("work").await;
    bench.server.reset_meter();
    bench.drain(&handler).await;
    rows.add(&bench, "groups: a lone job without one");
    bench.queue.enqueue(job()).await.unwrap();
    rows.add(&bench, "groups: enqueue");
    bench.drain(&handler).await;
    rows.add(&bench, "groups: a lone job");
    bench.queue.enqueue_many(vec![job(), job()]).await.unwrap();
    bench.server.reset_meter();
    bench.drain(&handler).await;
    rows.add(
        &bench,
        "groups: two jobs of one, the second parked and let in",
    );
    bench
        .queue
        .enqueue_many((0..20).map(|_| job()).collect())
        .await
        .unwrap();
    bench.server.reset_meter();
    bench.drain(&handler).await;
    rows.add(&bench, "groups: twenty jobs of one");
}

async fn followers(rows: &mut Rows) {
    let handler = scripted();
    let bench = warm(config(), &handler).await;
    let jobs = (0..5).map(|_| bench.job("work")).collect();
    bench
        .queue
        .enqueue_batch(jobs, bench.job("work"))
        .await
        .unwrap();
    rows.add(&bench, "batch of five: enqueue");
    bench.drain(&handler).await;
    rows.add(&bench, "batch of five: all, its last job and the looks");
    let chain = NewJob {
        then: vec![bench.job("work"), bench.job("work")],
        ..bench.job("work")
    };
    bench.queue.enqueue(chain).await.unwrap();
    rows.add(&bench, "chain of three: enqueue");
    bench.drain(&handler).await;
    rows.add(&bench, "chain of three: all and the looks");
}

async fn keys_and_sizes(rows: &mut Rows) {
    let handler = scripted().on("echo", |job| async move {
        Outcome::Done(serde_json::from_str(job.args()).unwrap())
    });
    let bench = warm(config(), &handler).await;
    let unique = |on_unique| NewJob {
        unique: Some("k".into()),
        on_unique,
        run_at_ms: Some(bench.clock.now_ms() + 60_000),
        ..bench.job("work")
    };
    bench.queue.enqueue(unique(OnUnique::Keep)).await.unwrap();
    bench.server.reset_meter();
    bench
        .queue
        .enqueue(unique(OnUnique::Debounce))
        .await
        .unwrap();
    rows.add(&bench, "debounce");
    bench
        .queue
        .enqueue(unique(OnUnique::Replace))
        .await
        .unwrap();
    rows.add(&bench, "replace");
    let large = NewJob {
        args: json!("x".repeat(5000)).to_string(),
        ..bench.job("work")
    };
    bench.queue.enqueue(large).await.unwrap();
    rows.add(&bench, "large arguments: enqueue");
    bench.drain(&handler).await;
    rows.add(&bench, "large arguments: claim, settle and look");
    let large = NewJob {
        args: json!("x".repeat(5000)).to_string(),
        ..bench.job("echo")
    };
    bench.queue.enqueue(large.clone()).await.unwrap();
    bench.server.reset_meter();
    bench.drain(&handler).await;
    rows.add(&bench, "large arguments and result: claim, settle and look");
    bench.read(&large.id).await;
    rows.add(&bench, "large arguments and result: read");
}

async fn operations(rows: &mut Rows) {
    let handler = scripted();
    let bench = warm(config(), &handler).await;
    let id = bench.enqueue("work").await;
    bench.server.reset_meter();
    bench.queue.change(&id, Some(3), None).await.unwrap();
    rows.add(&bench, "change the priority of a waiting job");
    bench.queue.pause().await.unwrap();
    rows.add(&bench, "pause");
    bench.drain(&handler).await;
    rows.add(&bench, "look at a paused queue, with sweep");
    bench.queue.resume().await.unwrap();
    rows.add(&bench, "resume");
    bench.queue.stats().await.unwrap();
    rows.add(&bench, "statistics");
    bench
        .queue
        .list(Some(JobState::Waiting), None, 20)
        .await
        .unwrap();
    rows.add(&bench, "list a page");
    bench.queue.audit().await.unwrap();
    rows.add(&bench, "audit a page");
    let jobs = (0..100).map(|_| bench.job("never")).collect();
    bench.queue.enqueue_many(jobs).await.unwrap();
    bench.drain(&handler).await;
    bench.server.reset_meter();
    bench.queue.redrive_all().await.unwrap();
    rows.add(&bench, "redrive a hundred failed jobs");
}

async fn sources(rows: &mut Rows) {
    let handler = scripted();
    let bench = warm(config(), &handler).await;
    let recurring = Recurring {
        name: "tidy".into(),
        schedule: Schedule::every(Duration::from_secs(3600)).unwrap(),
        missed: Missed::Skip,
        job: bench.job("work"),
    };
    let recurring = [recurring];
    bench
        .queue
        .fire(&recurring, &mut Slots::default())
        .await
        .unwrap();
    bench.advance(Duration::from_secs(3600));
    bench.server.reset_meter();
    let mut seen = Slots::default();
    bench.queue.fire(&recurring, &mut seen).await.unwrap();
    rows.add(&bench, "recurring: a slot due");
    bench
        .queue
        .fire(&recurring, &mut Slots::default())
        .await
        .unwrap();
    rows.add(&bench, "recurring: the same slot, seen by another");
    bench.queue.fire(&recurring, &mut seen).await.unwrap();
    rows.add(&bench, "recurring: no slot due");
    renewal(rows, "renew two leases, with sweep", false).await;
    renewal(rows, "the same, and count what waits", true).await;
    let read = Arc::new(|_: &_, id| {
        Ok(NewJob {
            id,
            ..bench.job("work")
        })
    });
    for n in [1, 100] {
        for _ in 0..n {
            bench.advance(Duration::from_millis(1));
            let fields = [("type", "work")];
            bench
                .redis()
                .xadd("foreign", "*", Trim::No, &fields)
                .await
                .unwrap();
        }
        bench.server.reset_meter();
        bench.queue.ingest("foreign", &*read).await.unwrap();
        rows.add(&bench, &format!("ingest {n}"));
    }
    bench.queue.ingest("foreign", &*read).await.unwrap();
    rows.add(&bench, "ingest nothing");
}
