//! The Redis a handler is given: its first request passes through the request's admission.
//!
//! So a handler knows nothing of limits, and a request that never needs Redis, such as
//! one with a malformed id, costs no command.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::admission::{Admission, Passed};
use crate::redis::{Error, Meter, RawCommand, Redis, RedisService, Reply, Scope};

pub(super) struct GuardedRedis {
    redis: Redis,
    admission: Arc<Admission>,
}

impl GuardedRedis {
    pub fn new(admission: Arc<Admission>) -> GuardedRedis {
        GuardedRedis {
            redis: admission.redis.clone(),
            admission,
        }
    }
}

impl RedisService for GuardedRedis {
    fn execute(&self, command: RawCommand) -> BoxFuture<'_, Result<Reply, Error>> {
        async move {
            match self.admission.pass(vec![command.clone()]).await? {
                Passed::Open => self.redis.execute(command).await,
                Passed::Sent(mut replies) => replies
                    .pop()
                    .unwrap_or_else(|| Err(Error::Malformed("a reply is missing".into()))),
            }
        }
        .boxed()
    }

    fn pipeline(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>> {
        async move {
            match self.admission.pass(commands.clone()).await? {
                Passed::Open => self.redis.pipeline(commands).await,
                Passed::Sent(replies) => Ok(replies),
            }
        }
        .boxed()
    }

    fn multi_exec(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>> {
        async move {
            // The check cannot be a part of the handler's transaction.
            self.admission.pass(Vec::new()).await?;
            self.redis.multi_exec(commands).await
        }
        .boxed()
    }

    fn scoped(&self, scope: Scope) -> Redis {
        Arc::new(GuardedRedis {
            redis: self.redis.scoped(scope),
            admission: self.admission.clone(),
        })
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
