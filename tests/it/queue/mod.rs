//! The queue through its scripts on the endpoint.

mod costs;
mod crash;
mod cut;
mod deadline;
mod drain;
mod faults;
mod lives;
mod retention;

use std::sync::Arc;
use std::time::Duration;

use integration::{START_MS, Scripted, queue_on, start_endpoint};
use shared::clock::{Clock, Deadline};
use shared::config::QueueConfig;
use shared::queue::{Consumer, DrainReport, Enqueued, Job, JobId, NewJob, Queue};
use tokio::task::JoinHandle;

/// A queue with its endpoint and clock.
pub struct Bench {
    pub server: upstash_local::Server,
    pub clock: Clock,
    pub queue: Queue,
}

pub fn config() -> QueueConfig {
    QueueConfig {
        linger: Duration::ZERO,
        coalesce: Duration::ZERO,
        // Options with prices of their own.
        active_limit: None,
        group_limit: None,
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
