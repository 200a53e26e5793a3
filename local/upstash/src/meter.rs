//! Counts what the hosted service would bill: every command that runs, including those
//! inside scripts.
//!
//! Each command of a pipeline or transaction counts. A request that is rejected before
//! anything runs (401, invalid JSON, unknown command) costs nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::registry;

/// How a request carried its commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    Single,
    Pipeline,
    MultiExec,
}

const REQUEST_KINDS: [&str; 3] = ["single", "pipeline", "multi-exec"];

/// Counters since the start or the last reset.
pub struct Meter {
    commands: Vec<AtomicU64>,
    /// Commands that a script called on a real server and that this endpoint does not
    /// know.
    others: AtomicU64,
    requests: [AtomicU64; 3],
}

/// A snapshot of the counters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MeterSnapshot {
    /// Total billed commands.
    pub total: u64,
    /// Billed commands by lower-case name, only those that ran. `other` counts commands
    /// that a script called on a real server and that this endpoint does not know.
    pub commands: BTreeMap<String, u64>,
    /// HTTP requests by kind: `single`, `pipeline`, `multi-exec`.
    pub requests: BTreeMap<String, u64>,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            commands: registry::COMMANDS
                .iter()
                .map(|_| AtomicU64::new(0))
                .collect(),
            others: AtomicU64::default(),
            requests: Default::default(),
        }
    }
}

impl Meter {
    /// Counts one execution of the command with this registry index.
    pub fn count(&self, command: usize) {
        self.commands[command].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts commands that a script called on a real server.
    pub fn count_inner(&self, name: &str, n: u64) {
        let counter = match registry::index_of(name) {
            Some(index) => &self.commands[index],
            None => &self.others,
        };
        counter.fetch_add(n, Ordering::Relaxed);
    }

    pub fn count_request(&self, kind: RequestKind) {
        self.requests[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn total(&self) -> u64 {
        self.commands
            .iter()
            .chain([&self.others])
            .map(|counter| counter.load(Ordering::Relaxed))
            .sum()
    }

    pub fn snapshot(&self) -> MeterSnapshot {
        let commands: BTreeMap<String, u64> = registry::COMMANDS
            .iter()
            .map(|spec| spec.name)
            .chain(["other"])
            .zip(self.commands.iter().chain([&self.others]))
            .map(|(name, counter)| (name.to_owned(), counter.load(Ordering::Relaxed)))
            .filter(|(_, n)| *n > 0)
            .collect();
        let requests = REQUEST_KINDS
            .iter()
            .zip(&self.requests)
            .map(|(kind, counter)| ((*kind).to_owned(), counter.load(Ordering::Relaxed)));
        MeterSnapshot {
            total: commands.values().sum(),
            requests: requests.collect(),
            commands,
        }
    }

    pub fn reset(&self) {
        let counters = self.commands.iter().chain([&self.others]);
        for counter in counters.chain(&self.requests) {
            counter.store(0, Ordering::Relaxed);
        }
    }
}
