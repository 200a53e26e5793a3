//! Measures the use of Redis: what it costs and how long it takes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The largest number of latencies in one reading. One metric can hold no more.
const MOST: usize = 100;

/// Counts the requests of a client and of its scoped copies.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    usage: Usage,
    unsaved: u64,
}

/// The use of Redis since the last reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// The number of HTTP requests. A repeated request counts each time.
    pub requests: u64,
    /// The number of requests that got no reply.
    pub failures: u64,
    /// The number of billed commands: those of the requests, and those inside scripts,
    /// where the number that [`super::Script`] usually runs is counted.
    pub commands: u64,
    /// The latencies of the first hundred requests, in milliseconds.
    pub latencies_ms: Vec<f64>,
}

impl Meter {
    pub(super) fn add(&self, commands: u64, took: Duration, answered: bool) {
        let mut counts = self.counts();
        counts.unsaved += commands;
        let usage = &mut counts.usage;
        usage.requests += 1;
        usage.failures += u64::from(!answered);
        usage.commands += commands;
        if usage.latencies_ms.len() < MOST {
            usage.latencies_ms.push(took.as_secs_f64() * 1000.0);
        }
    }

    /// Subtracts commands that were not run, such as those of a script that the service did
    /// not know.
    pub(super) fn take_back(&self, commands: u64) {
        let mut counts = self.counts();
        counts.unsaved = counts.unsaved.saturating_sub(commands);
        counts.usage.commands = counts.usage.commands.saturating_sub(commands);
    }

    /// Returns the use since the last call. An environment runs one invocation at a time,
    /// so this is the use of the current one.
    pub fn take(&self) -> Usage {
        std::mem::take(&mut self.counts().usage)
    }

    /// Takes the commands that were not saved yet, if there are at least `least`.
    pub fn take_unsaved(&self, least: u64) -> Option<u64> {
        let mut counts = self.counts();
        (counts.unsaved >= least).then(|| std::mem::take(&mut counts.unsaved))
    }

    /// Returns commands that could not be saved, so that they are saved later.
    pub fn give_back(&self, commands: u64) {
        self.counts().unsaved += commands;
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
