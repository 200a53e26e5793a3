//! The clients a job may use.

use std::time::Duration;

use shared::clock::Clock;
use shared::config::DiscordConfig;
use shared::counters::Counters;
use shared::discord::Discord;
use shared::progress::Progress;
use shared::queue::Queue;
use shared::redis::{self, Redis};
use shared::scan::ScanStore;

/// Made once per cold start.
pub struct Environment {
    pub discord: Discord,
    pub store: ScanStore,
    pub progress: Progress,
    pub counters: Counters,
    pub queue: Queue,
    pub redis: Redis,
    pub clock: Clock,
    /// The shortest time between two pages of one channel.
    pub page_interval: Duration,
}

impl Environment {
    /// # Errors
    /// When Discord's settings cannot be used.
    pub fn new(
        queue: Queue,
        redis: Redis,
        key_prefix: &str,
        discord: &DiscordConfig,
    ) -> Result<Environment, redis::Error> {
        Ok(Environment {
            discord: Discord::new(discord)?,
            store: ScanStore::new(redis.clone(), key_prefix),
            progress: Progress::new(key_prefix),
            counters: Counters::new(redis.clone(), key_prefix, queue.clock().clone()),
            clock: queue.clock().clone(),
            page_interval: discord.page_interval,
            queue,
            redis,
        })
    }
}
