//! Invocations of 5 to 60 seconds: all work is handed back in time, and nothing continues
//! afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use integration::Scripted;
use shared::clock::Clock;
use shared::queue::{ActiveJob, Consumer, Outcome, Queue, Signal};

use super::Bench;
use super::lives::Way;

/// Step by which the clock is advanced.
const STEP: Duration = Duration::from_millis(250);

/// Counts how often handlers are polled and how many are alive.
#[derive(Clone, Default)]
struct Watched {
    polls: Arc<AtomicUsize>,
    alive: Arc<AtomicUsize>,
}

struct Alive(Arc<AtomicUsize>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Watched {
    /// A handler that works in small steps. Only a polite one reacts to an interruption.
    async fn work(self, clock: Clock, job: ActiveJob, polite: bool) -> Outcome {
        self.alive.fetch_add(1, Ordering::SeqCst);
        let _alive = Alive(self.alive.clone());
        let mut steps = 0;
        while !polite || job.signal() == Signal::GoOn {
            self.polls.fetch_add(1, Ordering::SeqCst);
            steps += 1;
            job.set_checkpoint(steps.to_string());
            clock.sleep(STEP).await;
        }
        Outcome::Snooze {
            after: Duration::ZERO,
        }
    }
}

/// Runs everything that does not wait for the clock.
async fn settle_down(way: &Way) {
    let mut quiet = 0;
    while quiet < 40 {
        tokio::task::yield_now().await;
        quiet = if way.is_taken() { 0 } else { quiet + 1 };
    }
}

async fn spend(budget: Duration) {
    let mut bench = Bench::start().await;
    let way = Arc::new(Way::new(crate::redis::client(&bench.server)));
    let (clock, config) = (bench.clock.clone(), super::config());
    bench.queue = Queue::new(way.clone(), "trawl:", "test", clock, config);
    let watched = Watched::default();
    let handler = ["polite", "deaf"]
        .into_iter()
        .fold(Scripted::default(), |handler, kind| {
            let (watched, clock) = (watched.clone(), bench.clock.clone());
            handler.on(kind, move |job| {
                watched.clone().work(clock.clone(), job, kind == "polite")
            })
        });
    let mut ids = Vec::new();
    for kind in ["polite", "deaf", "polite", "deaf"] {
        ids.push(bench.enqueue(kind).await);
    }
    let deadline = bench.clock.deadline(budget);
    let consumer = Consumer::new(bench.queue.clone(), Arc::new(handler.clone()));
    let drain = tokio::spawn({
        let (deadline, alive) = (deadline.clone(), watched.alive.clone());
        async move {
            let report = consumer.drain(&deadline).await.unwrap();
            // Measured on return, because a frozen sandbox may never run again.
            (report, alive.load(Ordering::SeqCst))
        }
    });
    super::until_running(&handler, 4).await;
    while !drain.is_finished() {
        assert!(!deadline.remaining().is_zero(), "{budget:?}: killed");
        bench.advance(STEP);
        settle_down(&way).await;
    }
    let (report, alive) = drain.await.unwrap();

    assert_eq!(alive, 0, "{budget:?}: handlers outlive the drain");
    let polls = watched.polls.load(Ordering::SeqCst);
    for _ in 0..20 {
        bench.advance(STEP);
        settle_down(&way).await;
    }
    assert_eq!(watched.polls.load(Ordering::SeqCst), polls, "runs on");
    assert_eq!((report.claimed, report.snoozed), (4, 4), "{report:?}");
    let stats = bench.queue.stats().await.unwrap();
    assert_eq!((stats.active, stats.waiting + stats.delayed), (0, 4));
    assert_eq!((stats.lifetime.stalled, stats.lifetime.retried), (0, 0));
    for id in ids {
        let job = bench.read(&id).await;
        assert_eq!(
            (job.attempts_made, job.fence),
            (0, 1),
            "an attempt is burned"
        );
    }
}

#[tokio::test]
async fn with_any_time_budget_all_work_is_handed_back_and_nothing_continues() {
    for seconds in 5..=60 {
        spend(Duration::from_secs(seconds)).await;
    }
}
