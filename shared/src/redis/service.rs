//! What a provider of Redis implements.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Error, Meter, RawCommand, Reply};
use crate::clock::Deadline;

/// A handle that is passed around; clones share everything.
pub type Redis = Arc<dyn RedisService>;

/// A Redis that is asked by request, holding no connection of its own.
///
/// The typed commands are in [`super::commands`]: import its families and call
/// `redis.get(key)`.
pub trait RedisService: Send + Sync + 'static {
    /// Sends one command.
    fn execute(&self, command: RawCommand) -> BoxFuture<'_, Result<Reply, Error>>;

    /// Sends commands in one request; they run in order, others may run between
    /// them, and each has its own outcome. An empty list sends nothing.
    fn pipeline(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>>;

    /// Sends commands in one request that runs whole or not at all; a command that
    /// fails while it runs does not undo the others.
    fn multi_exec(
        &self,
        commands: Vec<RawCommand>,
    ) -> BoxFuture<'_, Result<Vec<Result<Reply, Error>>, Error>>;

    /// The same Redis for one unit of work, with a deadline and the state it must
    /// at least see.
    fn scoped(&self, scope: Scope) -> Redis;

    /// How far the clock here is ahead of the service's, in milliseconds, by the
    /// last reply; exact to about a second. `None` before a reply has carried the time.
    fn clock_skew_ms(&self) -> Option<i64> {
        None
    }

    /// What counts the requests; `None` where nobody does.
    fn meter(&self) -> Option<Meter> {
        None
    }

    /// The state the last reply was of, to hand to another process that must see
    /// at least that state. `None` before the first reply.
    fn sync_token(&self) -> Option<String>;
}

/// What one unit of work adds to the calls it makes.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Every call ends by then, whatever its own timeout.
    pub deadline: Option<Deadline>,
    /// A token another process was given; the newest known is kept otherwise.
    pub sync_token: Option<String>,
}
