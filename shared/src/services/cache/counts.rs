//! Counts what the cache does in this process.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The counters of one process, since it started.
        #[derive(Debug, Default)]
        pub(super) struct Counters {
            $(pub $name: Counter,)*
        }

        /// The values of the counters at one time.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct CacheCounts {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            pub fn read(&self) -> CacheCounts {
                CacheCounts { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counts! {
    /// Fresh values that were returned, including "does not exist".
    hits,
    /// Stale values that were returned.
    stale,
    /// Reads that found nothing.
    misses,
    /// Stored values that could not be read. Each is also a miss.
    unreadable,
    /// Values that could not be written as JSON. Nothing was stored, so the next read is a
    /// miss.
    unwritable,
    /// Calls of the loader.
    loads,
    /// Calls of the loader while a value still existed.
    refreshes,
    /// Calls of the loader that failed.
    failed_loads,
    /// Waits for a value that another process loaded.
    waits,
    /// Commands that could not reach Redis.
    failures,
    /// Loaded values that were not stored, because they were invalidated during the load.
    outdated,
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    pub fn one(&self) {
        self.add(1);
    }
}

impl CacheCounts {
    /// The share of reads that found something, from 0 to 1. `None` before the first read.
    pub fn hit_rate(&self) -> Option<f64> {
        let found = self.hits + self.stale;
        let all = found + self.misses;
        (all > 0).then(|| found as f64 / all as f64)
    }
}
