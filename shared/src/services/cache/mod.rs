//! Caches values of other services.
//!
//! A value is one string under one key: JSON that includes the time until which it is
//! fresh. A hit costs one command. After that time the value is *stale* for a while. One
//! reader then reloads it, and all others get the stale value; if the reload fails, that
//! reader gets it too. Shortly before the end of the fresh time, one reader may reload the
//! value early, so that readers never all find it gone.
//!
//! The reader that loads first stores a claim in the value's place, with a write that
//! depends on what was read (`NX`, `IFEQ`). It then stores the value with a write that
//! depends on the claim. So one process loads at a time, and a value that is invalidated
//! during its load is not stored. If there is no value at all, other readers wait for it
//! for up to five seconds.
//!
//! A value under a parent (such as a channel under its guild) carries the parent's epoch,
//! which is read in the same command. A new epoch makes all of the parent's values misses
//! at the same time.
//!
//! The reader's clock decides freshness, and the server's clock decides expiry. The process
//! itself stores only counters. If Redis is unavailable, the loader is called.
//!
//! Values may have a database of their own. It may evict them at any time, and its commands
//! do not count toward the queue's.

mod counts;
mod entry;
mod invalidate;
mod keys;
mod load;
mod many;
mod own_database;
mod stored;

use std::sync::Arc;
use std::time::Duration;

pub use counts::CacheCounts;
pub use entry::{CHANNEL, CHANNELS, Entry, GUILD, GUILDS, HOME, Kind, LINKS, SETTINGS};
pub use keys::Keys;
pub use many::Batch;

use crate::clock::Clock;
use crate::redis::{Prefix, Redis};
use counts::Counters;
use own_database::OwnDatabase;

/// How long a read or a write may take before the cache continues without it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The cache. Clones share the counters.
#[derive(Clone)]
pub struct Cache {
    redis: Redis,
    /// The separate database for values, if there is one.
    own: Option<Redis>,
    keys: Keys,
    clock: Clock,
    counters: Arc<Counters>,
}

impl Cache {
    /// Creates a cache whose values share the database with everything else.
    pub fn new(redis: Redis, prefix: &str, clock: Clock) -> Cache {
        Cache {
            redis,
            own: None,
            keys: Keys(Prefix::new(prefix)),
            clock,
            counters: Arc::default(),
        }
    }

    /// Creates a cache whose values have a database of their own.
    pub fn with_own_database(own: Redis, prefix: &str, clock: Clock) -> Cache {
        Cache {
            own: Some(own.clone()),
            ..Cache::new(own, prefix, clock)
        }
    }

    /// Returns the same cache on another handle, such as one that is scoped to a request.
    /// If values have a database of their own, they stay there, and the handle only admits
    /// the request.
    pub fn on(&self, redis: &Redis) -> Cache {
        let redis = match &self.own {
            Some(own) => Arc::new(OwnDatabase {
                own: own.clone(),
                front: redis.clone(),
            }),
            None => redis.clone(),
        };
        Cache {
            redis,
            ..self.clone()
        }
    }

    /// Whether values have a database of their own, so that they cannot be written in one
    /// step with the request's other changes.
    pub fn has_own_database(&self) -> bool {
        self.own.is_some()
    }

    /// What this process has done with the cache so far.
    pub fn counts(&self) -> CacheCounts {
        self.counters.read()
    }
}
