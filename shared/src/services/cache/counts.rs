//! What the cache did, in this process.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters of one process, since it started.
        #[derive(Debug, Default)]
        pub(super) struct Counters {
            $(pub $name: Counter,)*
        }

        /// A reading of the counters.
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
    /// Fresh values given out, those of "there is none" included.
    hits,
    /// Stale values given out.
    stale,
    /// Nothing was there.
    misses,
    /// What was there could not be read; each is a miss as well.
    unreadable,
    /// A value could not be written as JSON: nothing was stored, so the next reading is a
    /// miss.
    unwritable,
    /// The loader was asked.
    loads,
    /// Of these, for a value that was there still.
    refreshes,
    /// The loader failed.
    failed_loads,
    /// Another process loaded what this one waited for.
    waits,
    /// Redis could not be reached.
    failures,
    /// A loaded value was not stored, since it was invalidated meanwhile.
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
    /// The part of readings that found something, 0 to 1; none before the first.
    pub fn hit_rate(&self) -> Option<f64> {
        let found = self.hits + self.stale;
        let all = found + self.misses;
        (all > 0).then(|| found as f64 / all as f64)
    }
}
