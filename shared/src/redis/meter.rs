//! What was asked of Redis: what it cost and how long it took.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Latencies that are kept of one reading: what one metric can hold.
const MOST: usize = 100;

/// Counts what a client and its scoped copies ask.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    usage: Usage,
    unsaved: u64,
}

/// What was asked since the last reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// HTTP requests, repeated ones each.
    pub requests: u64,
    /// Requests that brought no reply.
    pub failures: u64,
    /// Commands the service bills: each of a request, and those inside a script, whose
    /// number is what [`super::Script`] says it usually runs.
    pub commands: u64,
    /// Milliseconds of the first hundred requests.
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

    /// Takes back commands that were not run, as those of a script the service did not
    /// know.
    pub(super) fn take_back(&self, commands: u64) {
        let mut counts = self.counts();
        counts.unsaved = counts.unsaved.saturating_sub(commands);
        counts.usage.commands = counts.usage.commands.saturating_sub(commands);
    }

    /// What was asked since the last call. An environment runs one invocation at a
    /// time, so this is the invocation's own.
    pub fn take(&self) -> Usage {
        std::mem::take(&mut self.counts().usage)
    }

    /// The commands nobody has taken over yet, once there are `least` of them.
    pub fn take_unsaved(&self, least: u64) -> Option<u64> {
        let mut counts = self.counts();
        (counts.unsaved >= least).then(|| std::mem::take(&mut counts.unsaved))
    }

    /// Gives back what could not be saved.
    pub fn give_back(&self, commands: u64) {
        self.counts().unsaved += commands;
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
