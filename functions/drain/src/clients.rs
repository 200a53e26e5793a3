//! The clients that jobs may use.

use std::sync::atomic::AtomicI64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared::clock::Clock;
use shared::config::DiscordConfig;
use shared::counters::Counters;
use shared::discord::Discord;
use shared::export::ExportStore;
use shared::probe::Prober;
use shared::progress::Progress;
use shared::queue::Queue;
use shared::redis::{self, HashField, Redis};
use shared::scan::{BOARD, ScanStore};
use shared::schedules::Schedules;
use shared::telemetry;
use tokio::sync::Notify;

/// Created once per cold start.
pub struct Clients {
    pub discord: Discord,
    pub store: ScanStore,
    pub exports: ExportStore,
    pub progress: Progress,
    pub counters: Counters,
    pub schedules: Schedules,
    pub queue: Queue,
    /// The queue of looks into clips.
    pub clips: Queue,
    /// Told when a scan of this process has stored a job in that queue.
    pub clip_stored: Notify,
    /// When the newest such job is due, in Unix milliseconds.
    pub clip_due: AtomicI64,
    /// Looks into clips; `None` if no host of files is listed.
    pub prober: Option<Prober>,
    pub redis: Redis,
    pub clock: Clock,
    /// Minimum time between two pages of one channel.
    pub page_interval: Duration,
    /// The hash field in which running jobs see that requests to Discord are paused.
    pub board: HashField,
    /// The end of the current pause, as far as this process knows, and the token that it
    /// applies to.
    paused: Mutex<(i64, Option<String>)>,
}

impl Clients {
    /// # Errors
    /// If Discord's settings are invalid.
    pub fn new(
        queue: Queue,
        clips: Queue,
        redis: Redis,
        key_prefix: &str,
        discord: &DiscordConfig,
    ) -> Result<Clients, redis::Error> {
        let hosts = discord.cdn_hosts.clone();
        let prober = hosts.map(|hosts| {
            Prober::new(hosts, discord.probe_time)
                .map_err(|error| redis::Error::Settings(telemetry::chain(&error)))
        });
        Ok(Clients {
            discord: Discord::new(discord)?,
            store: ScanStore::new(redis.clone(), key_prefix),
            exports: ExportStore::new(redis.clone(), key_prefix),
            progress: Progress::new(key_prefix),
            counters: Counters::new(redis.clone(), key_prefix, queue.clock().clone()),
            schedules: Schedules::new(redis.clone(), key_prefix),
            clock: queue.clock().clone(),
            page_interval: discord.page_interval,
            board: queue.field(BOARD),
            paused: Mutex::default(),
            prober: prober.transpose()?,
            clip_stored: Notify::new(),
            clip_due: AtomicI64::new(0),
            clips,
            queue,
            redis,
        })
    }

    /// Records a pause for the jobs of this process, or only for those that use `token`.
    pub fn note_pause(&self, until: i64, token: Option<String>) {
        let mut paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        if until > paused.0 {
            *paused = (until, token);
        }
    }

    /// Forgets any pause that this process knows of.
    pub fn forget_pause(&self) {
        *self.paused.lock().unwrap_or_else(PoisonError::into_inner) = (0, None);
    }

    /// The end of the pause for jobs of this process, if it is after `now`.
    pub fn paused_until(&self, now: i64) -> Option<i64> {
        let paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, token) = &*paused;
        let is_anothers = token
            .as_ref()
            .is_some_and(|token| *token != self.discord.token_mark());
        Some(*until).filter(|until| *until > now && !is_anothers)
    }
}
