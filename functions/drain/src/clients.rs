//! The clients a job may use.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared::clock::Clock;
use shared::config::DiscordConfig;
use shared::counters::Counters;
use shared::discord::Discord;
use shared::progress::Progress;
use shared::queue::Queue;
use shared::redis::{self, HashField, Redis};
use shared::scan::{BOARD, ScanStore};

/// Made once per cold start.
pub struct Clients {
    pub discord: Discord,
    pub store: ScanStore,
    pub progress: Progress,
    pub counters: Counters,
    pub queue: Queue,
    pub redis: Redis,
    pub clock: Clock,
    /// The shortest time between two pages of one channel.
    pub page_interval: Duration,
    /// Where running jobs look whether Discord is left alone.
    pub board: HashField,
    /// Until when it is, as far as this process knows, and by whom.
    paused: Mutex<(i64, Option<String>)>,
}

impl Clients {
    /// # Errors
    /// When Discord's settings cannot be used.
    pub fn new(
        queue: Queue,
        redis: Redis,
        key_prefix: &str,
        discord: &DiscordConfig,
    ) -> Result<Clients, redis::Error> {
        Ok(Clients {
            discord: Discord::new(discord)?,
            store: ScanStore::new(redis.clone(), key_prefix),
            progress: Progress::new(key_prefix),
            counters: Counters::new(redis.clone(), key_prefix, queue.clock().clone()),
            clock: queue.clock().clone(),
            page_interval: discord.page_interval,
            board: queue.field(BOARD),
            paused: Mutex::default(),
            queue,
            redis,
        })
    }

    /// Has the jobs of this process leave Discord alone; those with this token alone, if
    /// one is named.
    pub fn note_pause(&self, until: i64, token: Option<String>) {
        let mut paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        if until > paused.0 {
            *paused = (until, token);
        }
    }

    /// Forgets what this process knows of pauses.
    pub fn forget_pause(&self) {
        *self.paused.lock().unwrap_or_else(PoisonError::into_inner) = (0, None);
    }

    /// Until when jobs of this process leave Discord alone, if that is after `now`.
    pub fn paused_until(&self, now: i64) -> Option<i64> {
        let paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, token) = &*paused;
        let is_anothers = token
            .as_ref()
            .is_some_and(|token| *token != self.discord.token_mark());
        Some(*until).filter(|until| *until > now && !is_anothers)
    }
}
