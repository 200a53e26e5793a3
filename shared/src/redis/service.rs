//! The interface of a Redis provider.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Error, Meter, RawCommand, Reply};
use crate::clock::Deadline;

/// A handle to Redis. Clones share everything.
pub type Redis = Arc<dyn RedisService>;

/// A Redis that is reached by requests and needs no lasting connection.
///
/// The typed commands are in [`super::commands`]: import their families and call
/// `redis.get(key)`.
pub trait RedisService: Send + Sync + 'static {
    /// Sends one command.
    fn execute(&self, command: RawCommand) -> BoxFuture<'_, Result<Reply, Error>>;

    /// Sends commands in one request. They run in order, other clients' commands may run
    /// between them, and each has its own outcome. An empty list sends nothing.
    fn pipeline(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>>;

    /// Sends commands in one request that runs completely or not at all. A command that
    /// fails while it runs does not undo the others.
    fn multi_exec(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>>;

    /// Returns a handle for one unit of work, with a deadline and the oldest state it may
    /// see.
    fn scoped(&self, scope: Scope) -> Redis;

    /// How far this clock is ahead of the service's, in milliseconds, by the last reply.
    /// Accurate to about a second. `None` before a reply has carried the time.
    fn clock_skew_ms(&self) -> Option<i64> {
        None
    }

    /// The meter that counts the requests, or `None` if there is none.
    fn meter(&self) -> Option<Meter> {
        None
    }

    /// The state that the last reply reflects, for another process that must see at least
    /// that state. `None` before the first reply.
    fn sync_token(&self) -> Option<String>;
}

/// What one unit of work adds to its calls.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The time by which every call ends, whatever its own timeout.
    pub deadline: Option<Deadline>,
    /// A token from another process. Without it, the newest known token is used.
    pub sync_token: Option<String>,
}
