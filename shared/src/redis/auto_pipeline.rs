//! Joins commands that are issued at the same time into one request.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::service::{Redis, RedisService, Scope};
use super::{Error, Meter, RawCommand, Reply};

/// The most commands of one request.
const LARGEST_BATCH: usize = 1000;

/// A Redis whose single commands wait for each other: all that are issued before
/// the runtime comes round again travel as one pipeline, in the order issued. So a
/// read issued after a write sees it. Each has its own outcome.
///
/// A batch with a command that must not run twice is, as a whole, not sent again
/// when its reply was lost.
pub struct AutoPipeline {
    redis: Redis,
    waiting: Arc<Mutex<Vec<Waiting>>>,
}

struct Waiting {
    command: RawCommand,
    reply: oneshot::Sender<Result<Reply, Error>>,
}

impl AutoPipeline {
    /// Commands of the result wait for each other; those of `redis` itself do not.
    pub fn new(redis: Redis) -> AutoPipeline {
        AutoPipeline {
            redis,
            waiting: Arc::default(),
        }
    }

    /// Queues a command; the first of a batch starts the task that sends it. It is a
    /// task of its own so that a caller who is dropped does not strand the others.
    fn enqueue(&self, command: RawCommand) -> oneshot::Receiver<Result<Reply, Error>> {
        let (reply, receiver) = oneshot::channel();
        let first = {
            let mut waiting = lock(&self.waiting);
            waiting.push(Waiting { command, reply });
            waiting.len() == 1
        };
        if first {
            let (redis, waiting) = (self.redis.clone(), self.waiting.clone());
            tokio::spawn(async move {
                // Everyone who is ready to run issues a command first. This wait is what makes a
                // batch of them.
                tokio::task::yield_now().await;
                let mut batch = std::mem::take(&mut *lock(&waiting));
                while !batch.is_empty() {
                    let rest = batch.split_off(batch.len().min(LARGEST_BATCH));
                    send(&redis, batch).await;
                    batch = rest;
                }
            });
        }
        receiver
    }
}

async fn send(redis: &Redis, batch: Vec<Waiting>) {
    let (commands, replies): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|w| (w.command, w.reply)).unzip();
    let outcomes = match redis.pipeline(commands).await {
        Ok(outcomes) => outcomes,
        Err(error) => {
            let error = Arc::new(error);
            replies
                .iter()
                .map(|_| Err(Error::Batch(error.clone())))
                .collect()
        }
    };
    for (reply, outcome) in replies.into_iter().zip(outcomes) {
        // A caller that has gone does not want its reply.
        let _ = reply.send(outcome);
    }
}

fn lock(waiting: &Mutex<Vec<Waiting>>) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
    // A panic cannot leave the list half changed, so a poisoned lock is as good as any.
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RedisService for AutoPipeline {
    fn execute(&self, command: RawCommand) -> BoxFuture<'_, Result<Reply, Error>> {
        let reply = self.enqueue(command);
        async move {
            reply
                .await
                .unwrap_or_else(|_| Err(Error::Malformed("the batch was given up".into())))
        }
        .boxed()
    }

    fn pipeline(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>> {
        self.redis.pipeline(commands)
    }

    fn multi_exec(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>> {
        self.redis.multi_exec(commands)
    }

    fn scoped(&self, scope: Scope) -> Redis {
        Arc::new(AutoPipeline::new(self.redis.scoped(scope)))
    }

    fn clock_skew_ms(&self) -> Option<i64> {
        self.redis.clock_skew_ms()
    }

    fn meter(&self) -> Option<Meter> {
        self.redis.meter()
    }

    fn sync_token(&self) -> Option<String> {
        self.redis.sync_token()
    }
}
