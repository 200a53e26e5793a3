//! Deaths of a drainer, and requests that arrive late.

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
    /// After this many polls of its drain: at once, or when it would be polled again.
    Poll { after: usize, at_once: bool },
    /// At a request of the drainer or one of its jobs, counted from 0: before it is sent,
    /// or after it was carried out but before the reply is read.
    Request { n: usize, carried_out: bool },
}

/// A drain that ends when its drainer dies. `None` means that it died.
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

/// A request that is carried out again after this many others, as if its caller had timed
/// out and retried while it was still in transit.
#[derive(Clone, Copy, Debug)]
pub struct Late {
    pub n: usize,
    pub after: usize,
}

/// The requests of a scenario, including the late one.
#[derive(Default)]
struct Lateness {
    late: Option<Late>,
    n_sent: usize,
    on_its_way: Option<Vec<RawCommand>>,
}

/// A connection to Redis that can kill its user.
pub struct Way {
    redis: Redis,
    requests: AtomicUsize,
    answered: AtomicUsize,
    death: Mutex<Option<Death>>,
    died: Arc<Notify>,
    lateness: Mutex<Lateness>,
}

impl Way {
    pub fn new(redis: Redis) -> Way {
        Way {
            redis,
            requests: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            death: Mutex::new(None),
            died: Arc::default(),
            lateness: Mutex::default(),
        }
    }

    /// Starts counting. The future ends when the drainer dies.
    pub fn set(&self, death: Option<Death>) -> BoxFuture<'static, ()> {
        self.requests.store(0, Ordering::SeqCst);
        self.answered.store(0, Ordering::SeqCst);
        *self.death.lock().unwrap() = death;
        let died = self.died.clone();
        async move { died.notified().await }.boxed()
    }

    /// Starts counting, and makes one of the requests arrive late.
    pub fn set_late(&self, late: Option<Late>) {
        *self.lateness.lock().unwrap() = Lateness {
            late,
            ..Lateness::default()
        };
    }

    /// Delivers the late request if it has not arrived yet. Returns how many requests
    /// were sent.
    pub async fn end(&self) -> usize {
        let (n_sent, late) = {
            let mut lateness = self.lateness.lock().unwrap();
            (lateness.n_sent, lateness.on_its_way.take())
        };
        if let Some(commands) = late {
            let _ = self.redis.pipeline(commands).await;
        }
        n_sent
    }

    /// Counts a request. If it is time, the late request arrives before it.
    async fn note(&self, commands: &[RawCommand]) {
        let arrives = {
            let mut lateness = self.lateness.lock().unwrap();
            let n = lateness.n_sent;
            lateness.n_sent += 1;
            match lateness.late {
                Some(late) if late.n == n => {
                    lateness.on_its_way = Some(commands.to_vec());
                    None
                }
                Some(late) if n > late.n + late.after => lateness.on_its_way.take(),
                _ => None,
            }
        };
        if let Some(commands) = arrives {
            let _ = self.redis.pipeline(commands).await;
        }
    }

    /// Whether a request is in flight.
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
        async move {
            self.note(std::slice::from_ref(&command)).await;
            self.take(self.redis.execute(command)).await
        }
        .boxed()
    }

    fn pipeline(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, redis::Error>>, redis::Error>> {
        async move {
            self.note(&commands).await;
            self.take(self.redis.pipeline(commands)).await
        }
        .boxed()
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
