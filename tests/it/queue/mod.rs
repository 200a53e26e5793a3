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

/// A queue with its own endpoint and clock.
pub struct Bench {
    pub server: upstash_local::Server,
    pub clock: Clock,
    pub queue: Queue,
}

/// The answer for a job that duplicates one that runs no later.
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
        // Options with additional costs.
        active_limit: None,
        group_limit: None,
        // The tests' clock is far from the endpoint's.
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

    /// Enqueues a job of the given kind and returns its ID.
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

    /// Starts a drain with `seconds` left.
    pub fn start_drain(&self, handler: &Scripted, seconds: u64) -> Drainer {
        let deadline = self.clock.deadline(Duration::from_secs(seconds));
        let consumer = Consumer::new(self.queue.clone(), Arc::new(handler.clone()));
        let task = tokio::spawn({
            let deadline = deadline.clone();
            async move { consumer.drain(&deadline).await.unwrap() }
        });
        Drainer { task, deadline }
    }

    /// Drains the same queue with another client, like another process.
    pub async fn drain_as(&self, config: QueueConfig, handler: &Scripted) -> DrainReport {
        let queue = queue_on(&self.server, &self.clock, config);
        let consumer = Consumer::new(queue, Arc::new(handler.clone()));
        let deadline = self.clock.deadline(Duration::from_secs(900));
        consumer.drain(&deadline).await.unwrap()
    }

    /// A Redis client to inspect or damage the stored data.
    pub fn redis(&self) -> Redis {
        crate::redis::client(&self.server)
    }

    /// The number of jobs in a state.
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

/// A running drain.
pub struct Drainer {
    pub task: JoinHandle<DrainReport>,
    pub deadline: Deadline,
}

/// Waits until a handler has received `n` jobs.
pub async fn until_running(handler: &Scripted, n: usize) {
    while handler.ran().len() < n {
        tokio::task::yield_now().await;
    }
}

/// Prints what was tried if the test panics.
pub struct Say(pub String);

impl Drop for Say {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}
/// The outcome of a handler that refuses the job.
pub fn no() -> Outcome {
    Outcome::Fail {
        reason: "no".into(),
    }
}

/// A handler with several kinds of jobs: `never` fails for good, `bad` fails and is
/// retried in a second, `later` continues in a second, `cancelled` ends as cancelled, and
/// `held` never ends. Others complete at once.
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

/// Like [`scripted`], with jobs of kind `gated` that run until the gate releases one of
/// them.
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
