//! A Redis client that records how long each request takes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use shared::clock::Clock;
use shared::redis::{Error, RawCommand, Redis, RedisService, Reply, Scope};

/// Forwards everything. A request whose caller is dropped before the reply is not
/// recorded.
#[derive(Clone)]
pub struct Timed {
    redis: Redis,
    clock: Clock,
    times: Arc<Mutex<Vec<Duration>>>,
}

impl Timed {
    pub fn new(redis: Redis, clock: Clock) -> Timed {
        Timed {
            redis,
            clock,
            times: Arc::default(),
        }
    }

    /// Returns the times recorded since the last call.
    pub fn take(&self) -> Vec<Duration> {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *times)
    }

    fn timed<'a, T: 'a>(&'a self, request: BoxFuture<'a, T>) -> BoxFuture<'a, T> {
        async move {
            let sent = self.clock.elapsed();
            let reply = request.await;
            let took = self.clock.elapsed().saturating_sub(sent);
            let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
            times.push(took);
            reply
        }
        .boxed()
    }
}

type Many<'a> = BoxFuture<'a, Result<Vec<Result<Reply, Error>>, Error>>;

impl RedisService for Timed {
    fn execute(&self, command: RawCommand) -> BoxFuture<'_, Result<Reply, Error>> {
        self.timed(self.redis.execute(command))
    }

    fn pipeline(&self, commands: Vec<RawCommand>) -> Many<'_> {
        self.timed(self.redis.pipeline(commands))
    }

    fn multi_exec(&self, commands: Vec<RawCommand>) -> Many<'_> {
        self.timed(self.redis.multi_exec(commands))
    }

    fn scoped(&self, scope: Scope) -> Redis {
        Arc::new(Timed {
            redis: self.redis.scoped(scope),
            ..self.clone()
        })
    }

    fn sync_token(&self) -> Option<String> {
        self.redis.sync_token()
    }
}
