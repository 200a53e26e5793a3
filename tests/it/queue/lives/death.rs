//! The deaths of a drainer.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use shared::queue::{DrainReport, Error};
use shared::redis::{self, RawCommand, Redis, RedisService, Reply, Scope};
use tokio::sync::Notify;

/// When a drainer dies.
#[derive(Clone, Copy, Debug)]
pub enum Death {
    /// After so many polls of its drain: at once, or when it would be polled again.
    Poll { after: usize, at_once: bool },
    /// At a request of its own or of one of its jobs, counted from 0: before it is
    /// sent, or when it was carried out and the reply is not read yet.
    Request { n: usize, carried_out: bool },
}

/// A drain that ends with its drainer; `None` says that it died.
pub struct Mortal {
    pub drain: BoxFuture<'static, Result<DrainReport, Error>>,
    pub death: Option<Death>,
    pub of_request: BoxFuture<'static, ()>,
    pub polled: usize,
}

impl Future for Mortal {
    type Output = Option<Result<DrainReport, Error>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (last, at_once) = match self.death {
            Some(Death::Poll { after, at_once }) => (after, at_once),
            _ => (usize::MAX, false),
        };
        if self.polled == last || self.of_request.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        self.polled += 1;
        match self.drain.as_mut().poll(context) {
            Poll::Pending if at_once && self.polled == last => Poll::Ready(None),
            poll => poll.map(Some),
        }
    }
}

/// A way to Redis that may be death to whoever takes it.
pub struct Way {
    redis: Redis,
    requests: AtomicUsize,
    answered: AtomicUsize,
    death: Mutex<Option<Death>>,
    died: Arc<Notify>,
}

impl Way {
    pub fn new(redis: Redis) -> Way {
        Way {
            redis,
            requests: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            death: Mutex::new(None),
            died: Arc::default(),
        }
    }

    /// Counts from here on; the future ends with the drainer.
    pub fn set(&self, death: Option<Death>) -> BoxFuture<'static, ()> {
        self.requests.store(0, Ordering::SeqCst);
        self.answered.store(0, Ordering::SeqCst);
        *self.death.lock().unwrap() = death;
        let died = self.died.clone();
        async move { died.notified().await }.boxed()
    }

    /// Whether a request is under way.
    pub fn is_taken(&self) -> bool {
        self.requests.load(Ordering::SeqCst) > self.answered.load(Ordering::SeqCst)
    }

    async fn take<T>(&self, request: impl Future<Output = T>) -> T {
        let n = self.requests.fetch_add(1, Ordering::SeqCst);
        let death = *self.death.lock().unwrap();
        match death {
            Some(Death::Request {
                n: last,
                carried_out,
            }) if last == n => {
                if carried_out {
                    request.await;
                }
                self.died.notify_one();
                std::future::pending().await
            }
            _ => {
                let reply = request.await;
                self.answered.fetch_add(1, Ordering::SeqCst);
                reply
            }
        }
    }
}

impl RedisService for Way {
    fn execute(&self, command: RawCommand) -> BoxFuture<'_, Result<Reply, redis::Error>> {
        self.take(self.redis.execute(command)).boxed()
    }

    fn pipeline(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, redis::Error>>, redis::Error>> {
        self.take(self.redis.pipeline(commands)).boxed()
    }

    fn multi_exec(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, redis::Error>>, redis::Error>> {
        self.take(self.redis.multi_exec(commands)).boxed()
    }

    fn scoped(&self, scope: Scope) -> Redis {
        self.redis.scoped(scope)
    }

    fn sync_token(&self) -> Option<String> {
        self.redis.sync_token()
    }
}
