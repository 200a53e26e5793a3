//! The engine without HTTP, for programs that run millions of commands.
//!
//! It lives on the thread that created it. A command runs inside the call, which returns
//! when it is done. Nothing is persisted. A [`Snapshot`] restores the values of an
//! earlier moment, like a replica that takes over without the last writes.

use std::sync::Arc;

use crate::clock::Clock;
use crate::engine::{Answer, Job};
use crate::executor::{Executor, State};
use crate::limits::Limits;
use crate::meter::{Meter, MeterSnapshot};
use crate::reply::Reply;
use crate::server::StartError;
use crate::store::database::Entry;

/// The reply to a command.
#[derive(Debug, Clone, PartialEq)]
pub enum DirectReply {
    Nil,
    Status(String),
    Int(i64),
    Bulk(Vec<u8>),
    Array(Vec<DirectReply>),
    Error(String),
}

/// An engine owned by the calling thread.
pub struct Embedded {
    executor: Executor,
    meter: Arc<Meter>,
    clock: Clock,
}

/// The values of an [`Embedded`] engine at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    entries: Vec<(Vec<u8>, Entry)>,
}

impl Embedded {
    /// Creates an empty engine that takes the time from `clock` and random numbers from
    /// `seed`.
    ///
    /// # Errors
    ///
    /// [`StartError::Engine`] if Lua cannot be set up.
    pub fn new(clock: Clock, seed: u64) -> Result<Self, StartError> {
        let meter = Arc::new(Meter::default());
        let limits = Arc::new(Limits::default());
        let state = State::new(false, seed, clock.clone(), limits, Arc::clone(&meter));
        let executor =
            Executor::new(state).map_err(|error| StartError::Engine(error.to_string()))?;
        Ok(Self {
            executor,
            meter,
            clock,
        })
    }

    /// Runs one command. An error is a reply too.
    pub fn call(&mut self, args: &[&[u8]]) -> DirectReply {
        if args.is_empty() {
            return DirectReply::Error("ERR empty command".to_owned());
        }
        let answer = self.executor.run(Job {
            db: 0,
            commands: vec![args.iter().map(|arg| arg.to_vec()).collect()],
            atomic: false,
        });
        match answer {
            Answer::Ran(replies) => replies
                .into_iter()
                .next()
                .map_or(DirectReply::Nil, to_direct),
            Answer::Discarded(text) => DirectReply::Error(text),
        }
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The number of commands that would have been billed so far, including those inside
    /// scripts.
    pub fn n_billed(&self) -> u64 {
        self.meter.total()
    }

    /// The commands that would have been billed so far, by name.
    pub fn meter(&self) -> MeterSnapshot {
        self.meter.snapshot()
    }

    /// A copy of every key. The script cache is not included.
    pub fn snapshot(&self) -> Snapshot {
        let mut state = self.executor.state();
        let entries = state.databases_mut().first().map(|database| {
            database
                .iter()
                .map(|(key, entry)| (key.to_vec(), entry.clone()))
                .collect()
        });
        Snapshot {
            entries: entries.unwrap_or_default(),
        }
    }

    /// Restores every key from `snapshot` and removes all others.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        let mut state = self.executor.state();
        if let Some(database) = state.databases_mut().first_mut() {
            database.clear();
        }
        for (key, entry) in &snapshot.entries {
            state.restore(0, key, entry.clone());
        }
    }
}

impl Snapshot {
    /// A copy of this snapshot with `key` taken from `other`: the result of merging two
    /// histories in which the last writer of each key wins.
    #[must_use]
    pub fn with_key_of(mut self, key: &[u8], other: &Snapshot) -> Self {
        self.entries.retain(|(name, _)| name != key);
        let found = other.entries.iter().find(|(name, _)| name == key);
        self.entries.extend(found.cloned());
        self
    }
}

pub(crate) fn to_direct(reply: Reply) -> DirectReply {
    match reply {
        Reply::Nil | Reply::NilArray => DirectReply::Nil,
        Reply::Status(text) => DirectReply::Status(text.to_owned()),
        Reply::StatusText(text) => DirectReply::Status(String::from_utf8_lossy(&text).into_owned()),
        Reply::Int(value) => DirectReply::Int(value),
        Reply::Bulk(value) => DirectReply::Bulk(value),
        Reply::Array(items) => DirectReply::Array(items.into_iter().map(to_direct).collect()),
        Reply::Error(text) => DirectReply::Error(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> Embedded {
        Embedded::new(Clock::manual(1_800_000_000_000), 1).unwrap()
    }

    fn call(engine: &mut Embedded, command: &str) -> DirectReply {
        let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        engine.call(&words)
    }

    #[test]
    fn a_restored_snapshot_forgets_what_came_after_it() {
        let mut engine = engine();
        call(&mut engine, "HSET h a 1");
        call(&mut engine, "SET s 1 PX 50");
        let before = engine.snapshot();
        call(&mut engine, "HSET h a 2 b 3");
        call(&mut engine, "SET other 1");
        engine.restore(&before);
        assert_eq!(call(&mut engine, "HLEN h"), DirectReply::Int(1));
        assert_eq!(call(&mut engine, "EXISTS other"), DirectReply::Int(0));
        engine.clock().advance(std::time::Duration::from_millis(50));
        assert_eq!(call(&mut engine, "GET s"), DirectReply::Nil);
    }

    #[test]
    fn one_key_of_another_moment_can_be_taken() {
        let mut engine = engine();
        call(&mut engine, "SET a old");
        call(&mut engine, "SET b old");
        let old = engine.snapshot();
        call(&mut engine, "SET a new");
        call(&mut engine, "SET b new");
        let mixed = engine.snapshot().with_key_of(b"a", &old);
        engine.restore(&mixed);
        let value = |text: &str| DirectReply::Bulk(text.as_bytes().to_vec());
        assert_eq!(call(&mut engine, "GET a"), value("old"));
        assert_eq!(call(&mut engine, "GET b"), value("new"));
    }

    #[test]
    fn commands_inside_a_script_are_billed() {
        let mut engine = engine();
        let text = b"redis.call('SET', KEYS[1], 'x') return redis.call('GET', KEYS[1])";
        let reply = engine.call(&[b"EVAL", text, b"1", b"k"]);
        assert_eq!(reply, DirectReply::Bulk(b"x".to_vec()));
        assert_eq!(engine.n_billed(), 3);
    }
}
