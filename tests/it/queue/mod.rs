//! The queue through its scripts on the endpoint.

mod audit;
mod batch;
mod budget;
mod chain;
mod change;
mod costs;
mod costs_options;
mod crash;
mod cut;
mod cut_foreign;
mod cut_options;
mod deadline;
mod drain;
mod faults;
mod groups;
mod hasten;
mod ingest;
mod large;
mod list;
mod lives;
mod not_ready;
mod once;
mod options;
mod order;
mod pace;
mod processes;
mod recurring;
mod redrive;
mod retention;
mod sim;
mod skew;
mod stats;
mod unique;

use std::sync::Arc;
use std::time::Duration;

use integration::{START_MS, Scripted, queue_on, start_endpoint};
use shared::clock::{Clock, Deadline};
use shared::config::QueueConfig;
use shared::queue::{
    Consumer, DrainReport, Enqueued, Job, JobId, JobState, NewJob, Outcome, Queue,
};
use shared::redis::Redis;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// A queue with its endpoint and clock.
pub struct Bench {
    pub server: upstash_local::Server,
    pub clock: Clock,
    pub queue: Queue,
}

/// The answer to a job for which another stands that does the same, and no sooner.
pub fn duplicate(id: JobId) -> Enqueued {
    Enqueued::Duplicate {
        id,
        hastened: false,
        differs: false,
    }
}

pub fn config() -> QueueConfig {
    QueueConfig {
        linger: Duration::ZERO,
        coalesce: Duration::ZERO,
        // Options with prices of their own.
        active_limit: None,
        group_limit: None,
        // The clock of the tests is far from the endpoint's.
        clock_skew: None,
        ..QueueConfig::default()
    }
}

impl Bench {
    pub async fn start() -> Bench {
        Bench::with(config()).await
    }

    pub async fn with(config: QueueConfig) -> Bench {
        let server = start_endpoint().await;
        let clock = Clock::manual(START_MS);
        let queue = queue_on(&server, &clock, config);
        Bench {
            server,
            clock,
            queue,
        }
    }

    pub fn advance(&self, by: Duration) {
        self.server.clock().advance(by);
        self.clock.advance(by);
    }

    pub fn job(&self, kind: &str) -> NewJob {
        NewJob::new(
            JobId::new(&self.clock),
            kind,
            &serde_json::json!({ "n": 1 }),
        )
        .unwrap()
    }

    /// Enqueues a job of a kind and answers its id.
    pub async fn enqueue(&self, kind: &str) -> JobId {
        match self.queue.enqueue(self.job(kind)).await.unwrap() {
            Enqueued::New(id) => id,
            other => panic!("{other:?}"),
        }
    }

    pub async fn drain(&self, handler: &Scripted) -> DrainReport {
        let consumer = Consumer::new(self.queue.clone(), Arc::new(handler.clone()));
        consumer
            .drain(&self.clock.deadline(Duration::from_secs(900)))
            .await
            .unwrap()
    }

    /// Starts a drain with `seconds` to go.
    pub fn start_drain(&self, handler: &Scripted, seconds: u64) -> Drainer {
        let deadline = self.clock.deadline(Duration::from_secs(seconds));
        let consumer = Consumer::new(self.queue.clone(), Arc::new(handler.clone()));
        let task = tokio::spawn({
            let deadline = deadline.clone();
            async move { consumer.drain(&deadline).await.unwrap() }
        });
        Drainer { task, deadline }
    }

    /// A drain of the same queue through another client, as of another process.
    pub async fn drain_as(&self, config: QueueConfig, handler: &Scripted) -> DrainReport {
        let queue = queue_on(&self.server, &self.clock, config);
        let consumer = Consumer::new(queue, Arc::new(handler.clone()));
        let deadline = self.clock.deadline(Duration::from_secs(900));
        consumer.drain(&deadline).await.unwrap()
    }

    /// Redis, for looking at what is stored and for breaking it.
    pub fn redis(&self) -> Redis {
        crate::redis::client(&self.server)
    }

    /// How many jobs are in a state.
    pub async fn count(&self, state: JobState) -> u64 {
        let counts = self.queue.counts().await.unwrap();
        counts.iter().find(|(of, _)| *of == state).unwrap().1
    }

    pub async fn state(&self, id: &JobId) -> JobState {
        self.read(id).await.state
    }

    pub async fn read(&self, id: &JobId) -> Job {
        self.queue.job(id).await.unwrap().expect("the job exists")
    }
}

/// A drain under way.
pub struct Drainer {
    pub task: JoinHandle<DrainReport>,
    pub deadline: Deadline,
}

/// Waits until a handler has been given `n` jobs.
pub async fn until_running(handler: &Scripted, n: usize) {
    while handler.ran().len() < n {
        tokio::task::yield_now().await;
    }
}

/// Says what was tried if it panics.
pub struct Say(pub String);

impl Drop for Say {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}
/// What a handler answers that has made up its mind.
pub fn no() -> Outcome {
    Outcome::Fail {
        reason: "no".into(),
    }
}

/// A handler of jobs that fail for good (`never`), that fail and come again in a
/// second (`bad`), that go on in a second (`later`), that end as cancelled
/// (`cancelled`), and that never end (`held`); others are done at once.
pub fn scripted() -> Scripted {
    let second = Duration::from_secs(1);
    Scripted::default()
        .on("never", |_| async { no() })
        .on("bad", move |_| async move {
            Outcome::Retry {
                reason: "no".into(),
                after: Some(second),
            }
        })
        .on("later", move |_| async move {
            Outcome::Snooze { after: second }
        })
        .on("cancelled", |_| async { Outcome::Cancelled })
        .on("held", |_| std::future::pending())
}

/// As [`scripted`], and jobs (`gated`) that run until the gate lets one of them go.
pub fn gated() -> (Scripted, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let gates = gate.clone();
    let handler = scripted().on("gated", move |_| {
        let gate = gates.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Outcome::Done(serde_json::json!(1))
        }
    });
    (handler, gate)
}
