//! A cache with a database of its own, behind the rate limit of the main database.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::redis::{Error, Meter, RawCommand, Redis, RedisService, Reply, Scope};

/// Sends commands to `own` once `front` has admitted the request. This takes two round
/// trips. If values shared the main database, it would take one.
pub(super) struct OwnDatabase {
    pub own: Redis,
    pub front: Redis,
}

impl OwnDatabase {
    async fn pass(&self) -> Result<(), Error> {
        self.front.pipeline(Vec::new()).await.map(|_| ())
    }
}

impl RedisService for OwnDatabase {
    fn execute(&self, command: RawCommand) -> BoxFuture<'_, Result<Reply, Error>> {
        async move {
            self.pass().await?;
            self.own.execute(command).await
        }
        .boxed()
    }

    fn pipeline(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>> {
        async move {
            self.pass().await?;
            self.own.pipeline(commands).await
        }
        .boxed()
    }

    fn multi_exec(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>> {
        async move {
            self.pass().await?;
            self.own.multi_exec(commands).await
        }
        .boxed()
    }

    fn scoped(&self, scope: Scope) -> Redis {
        std::sync::Arc::new(OwnDatabase {
            own: self.own.scoped(scope),
            front: self.front.clone(),
        })
    }

    fn clock_skew_ms(&self) -> Option<i64> {
        self.own.clock_skew_ms()
    }

    fn meter(&self) -> Option<Meter> {
        self.own.meter()
    }

    fn sync_token(&self) -> Option<String> {
        self.own.sync_token()
    }
}
