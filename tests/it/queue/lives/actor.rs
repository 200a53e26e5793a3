//! The jobs of a scenario.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use shared::queue::{ActiveJob, EndedJob, JobHandler, Outcome, Queue};
use shared::redis::{Pipeline, Redis};

use super::LARGE;

/// Does what a job's kind says and remembers it.
pub struct Actor {
    redis: Redis,
    queue: Queue,
    pub ran: Mutex<Vec<(String, u64)>>,
    group: Arc<AtomicUsize>,
    pub mended: AtomicBool,
}

impl Actor {
    pub fn new(redis: Redis, queue: Queue) -> Actor {
        Actor {
            redis,
            queue,
            ran: Mutex::default(),
            group: Arc::default(),
            mended: AtomicBool::new(false),
        }
    }
}

/// Counts a holder of the group while it is alive, even if it is dropped half-way.
struct Holder<'a>(&'a AtomicUsize);

impl Drop for Holder<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn act(
    redis: Redis,
    queue: Queue,
    group: &AtomicUsize,
    mended: bool,
    job: ActiveJob,
) -> Outcome {
    let done = json!({ "fence": job.fence() });
    match job.kind.as_str() {
        "flaky" if job.number == 1 => Outcome::Retry {
            reason: "no luck".to_owned(),
            after: Some(Duration::from_secs(5)),
        },
        "long" if job.checkpoint().is_none() => {
            job.set_checkpoint("1".to_owned());
            tokio::task::yield_now().await;
            Outcome::Snooze {
                after: Duration::from_secs(1),
            }
        }
        "bad" if !mended => Outcome::Fail {
            reason: "no good".to_owned(),
        },
        "grouped" => {
            let before = group.fetch_add(1, Ordering::SeqCst);
            let _holder = Holder(group);
            assert_eq!(before, 0, "two of the group run at once");
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            Outcome::Done(done)
        }
        "large" => {
            assert_eq!(job.args().len(), LARGE + 2);
            Outcome::Done(json!({ "fence": job.fence(), "text": "y".repeat(LARGE) }))
        }
        "stopped" => {
            // If the cancellation fails, the job continues and tries again the next time.
            let cancelled = queue.cancel(&job.attempt.id).await;
            Outcome::Snooze {
                after: Duration::from_secs(u64::from(cancelled.is_err())),
            }
        }
        _ => {
            let mut pipeline = Pipeline::new();
            let _ = queue.add_progress(&mut pipeline, &job.attempt.id, "50");
            let _ = pipeline.send(&*redis).await;
            Outcome::Done(done)
        }
    }
}

impl JobHandler for Actor {
    fn run(&self, job: ActiveJob) -> BoxFuture<'static, Outcome> {
        let attempt = (job.attempt.id.to_string(), job.attempt.fence);
        self.ran.lock().unwrap().push(attempt);
        let (redis, queue) = (self.redis.clone(), self.queue.clone());
        let mended = self.mended.load(Ordering::SeqCst);
        let group = self.group.clone();
        async move { act(redis, queue, &group, mended, job).await }.boxed()
    }

    fn ended(&self, _: EndedJob) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }
}
