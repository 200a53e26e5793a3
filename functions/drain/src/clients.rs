//! The clients that jobs may use.

use std::collections::HashMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared::clock::Clock;
use shared::config::DiscordConfig;
use shared::counters::Counters;
use shared::discord::Discord;
use shared::export::ExportStore;
use shared::notices::Notices;
use shared::outbound::{Hosts, Outbound};
use shared::probe::Prober;
use shared::progress::Progress;
use shared::queue::Queue;
use shared::redis::{self, HashField, Redis};
use shared::scan::{BOARD, ScanStore};
use shared::schedules::Schedules;
use shared::telemetry;
use shared::uploads::Uploads;
use tokio::sync::Notify;

/// Created once per cold start.
pub struct Clients {
    pub discord: Discord,
    pub store: ScanStore,
    pub exports: ExportStore,
    pub progress: Progress,
    pub counters: Counters,
    pub schedules: Schedules,
    pub notices: Notices,
    pub uploads: Uploads,
    /// Sends notices. It asks only hosts that are public, or listed.
    pub webhooks: Outbound,
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
    /// Whether the guild of a running job has a webhook, by job.
    with_webhook: Mutex<HashMap<String, bool>>,
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
        webhook_hosts: Hosts,
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
            notices: Notices::new(redis.clone(), key_prefix),
            uploads: Uploads::new(redis.clone(), key_prefix),
            webhooks: Outbound::new(webhook_hosts)
                .map_err(|error| redis::Error::Settings(error.to_string()))?,
            clock: queue.clock().clone(),
            page_interval: discord.page_interval,
            board: queue.field(BOARD),
            paused: Mutex::default(),
            prober: prober.transpose()?,
            clip_stored: Notify::new(),
            clip_due: AtomicI64::new(0),
            clips,
            with_webhook: Mutex::default(),
            queue,
            redis,
        })
    }

    /// Remembers, until the job's attempt ends, whether its guild has a webhook.
    pub fn note_webhook(&self, job_id: &str, has_webhook: bool) {
        let known = self.with_webhook.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        known.insert(job_id.to_owned(), has_webhook);
    }

    /// Whether the guild of a job has a webhook, if that is known. Forgets it.
    pub fn take_webhook(&self, job_id: &str) -> Option<bool> {
        let known = self.with_webhook.lock();
        known.unwrap_or_else(PoisonError::into_inner).remove(job_id)
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
