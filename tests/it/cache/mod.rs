//! The cache on the endpoint.

mod costs;
mod faults;
mod load;
mod model;
mod values;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use integration::{START_MS, start_endpoint};
use shared::cache::{Cache, Entry, GUILD};
use shared::clock::Clock;
use shared::redis::Redis;

use crate::redis::client;

/// A cache with its own endpoint and clock.
pub struct Bench {
    pub server: upstash_local::Server,
    pub clock: Clock,
    pub redis: Redis,
    pub cache: Cache,
}

impl Bench {
    pub async fn start() -> Bench {
        let server = start_endpoint().await;
        let clock = Clock::manual(START_MS);
        let redis = client(&server);
        let cache = Cache::new(redis.clone(), "trawl:", clock.clone());
        Bench {
            server,
            clock,
            redis,
            cache,
        }
    }

    /// A cache with its own client, like that of another process.
    pub fn other(&self) -> Cache {
        Cache::new(client(&self.server), "trawl:", self.clock.clone())
    }

    pub fn advance(&self, by: Duration) {
        self.server.clock().advance(by);
        self.clock.advance(by);
    }
}

/// The cache entry for a guild's name.
pub fn guild(id: &str) -> Entry<String> {
    Entry::new(&GUILD, id)
}

/// A data source that counts how often it was queried.
#[derive(Clone, Default)]
pub struct Source {
    pub asked: Arc<AtomicU64>,
}

impl Source {
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Returns the number of earlier queries as text.
    pub async fn load(&self) -> Result<Option<String>, Broken> {
        let n = self.asked.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        Ok(Some(n.to_string()))
    }

    pub async fn fail(&self) -> Result<Option<String>, Broken> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Err(Broken)
    }
}

/// Why a source failed.
#[derive(Debug, PartialEq)]
pub struct Broken;
