//! Values of other services, stored for a while.
//!
//! A value is one string under one key: JSON with the time until which it is fresh. A
//! hit is one command. After its time a value is *stale* for a while: one reader loads
//! it anew, the others are given the stale one; when loading fails, so is that reader.
//! Shortly before its end a value may be loaded early by one reader, so that readers
//! never all find it gone.
//!
//! Who loads first puts a claim in the value's place by a write that depends on what
//! was read (`NX`, `IFEQ`), and stores by one that depends on the claim. So one process
//! loads at a time, and a value that was invalidated during its loading is not stored.
//! Without a value the others wait for it, up to five seconds.
//!
//! Values under a parent (channels under their guild) carry the parent's epoch, read in
//! the same command: a new epoch makes all of them misses at once.
//!
//! Freshness goes by the reader's clock, expiry by the server's. The process stores
//! nothing but counters. If Redis is unavailable, the loader is asked.
//!
//! Values may have a database of their own, which may evict them as it likes and whose
//! commands are not those of the queue.

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
pub use entry::{CHANNEL, Entry, GUILD, Kind, SETTINGS};
pub use keys::Keys;
pub use many::Batch;

use crate::clock::Clock;
use crate::redis::{Prefix, Redis};
use counts::Counters;
use own_database::OwnDatabase;

/// How long a reading or a write may take before the cache does without.
const PATIENCE: Duration = Duration::from_secs(1);

/// The cache. Clones share the counters.
#[derive(Clone)]
pub struct Cache {
    redis: Redis,
    /// The values' own database.
    own: Option<Redis>,
    keys: Keys,
    clock: Clock,
    counters: Arc<Counters>,
}

impl Cache {
    /// A cache whose values share the database of everything else.
    pub fn new(redis: Redis, prefix: &str, clock: Clock) -> Cache {
        Cache {
            redis,
            own: None,
            keys: Keys(Prefix::new(prefix)),
            clock,
            counters: Arc::default(),
        }
    }

    /// One whose values have a database of their own.
    pub fn with_own_database(own: Redis, prefix: &str, clock: Clock) -> Cache {
        Cache {
            own: Some(own.clone()),
            ..Cache::new(own, prefix, clock)
        }
    }

    /// The same cache through another handle, such as one scoped to a request. Values in
    /// a database of their own stay there, and the handle only admits the request.
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

    /// Whether values have a database of their own, so that they cannot be stored with
    /// what else a request changes.
    pub fn has_own_database(&self) -> bool {
        self.own.is_some()
    }

    /// What this process did with it so far.
    pub fn counts(&self) -> CacheCounts {
        self.counters.read()
    }
}
