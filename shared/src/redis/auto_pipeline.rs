//! Combines commands that are issued at the same time into one request.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::oneshot;

use super::service::{Redis, RedisService, Scope};
use super::{Error, Meter, RawCommand, Reply};

/// The largest number of commands in one request.
const LARGEST_BATCH: usize = 1000;

/// A Redis whose single commands wait for each other. All commands that are issued before
/// the runtime next polls the sending task travel as one pipeline, in the order they were
/// issued, so a read sees a write that was issued before it. Each command has its own
/// outcome.
///
/// If a batch contains a command that must not run twice, the whole batch is not sent again
/// after a lost reply.
pub struct AutoPipeline {
    redis: Redis,
    waiting: Arc<Mutex<Vec<Waiting>>>,
}

struct Waiting {
    command: RawCommand,
    reply: oneshot::Sender<Result<Reply, Error>>,
}

impl AutoPipeline {
    /// Wraps `redis`. Commands on the result are combined; commands on `redis` itself are
    /// not.
    pub fn new(redis: Redis) -> AutoPipeline {
        AutoPipeline {
            redis,
            waiting: Arc::default(),
        }
    }

    /// Queues a command. The first command of a batch starts the task that sends the batch.
    /// The task is separate, so that a caller that is dropped does not take the others with
    /// it.
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
                // Yielding lets every task that is ready issue its command first, which is
                // what forms a batch.
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
        // A caller that is gone does not need its reply.
        let _ = reply.send(outcome);
    }
}

fn lock(waiting: &Mutex<Vec<Waiting>>) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
    // A panic cannot leave the list half changed, so a poisoned lock can be used.
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
