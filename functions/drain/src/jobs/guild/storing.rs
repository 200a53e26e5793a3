//! Stores the scans of a plan, a hundred in each call.
//!
//! A scan that was requested before, by somebody else, stands for the guild's own. The
//! guild scan follows it, but does not cancel it.

use shared::jobs::{ChannelScan, ScanOptions};
use shared::queue::{JobId, NewJob};
use shared::scan::{Noted, Phase};

use super::{Run, of_queue};
use crate::jobs::stop::StopReason;
use crate::jobs::watch::unless_stopped;

/// How many jobs are stored in one call.
const AT_ONCE: usize = 100;

impl Run {
    /// Stores a scan for each channel that has none, and notes the channels.
    pub(super) async fn store_scans(&mut self) -> Result<(), StopReason> {
        let clients = self.clients.clone();
        let mut unfinished = self.plan.unfinished();
        // What a retry runs again is stored already.
        let channels = &self.plan.channels;
        unfinished.retain(|id| channels.get(id).is_some_and(|planned| !planned.stored));
        let mut shared = Vec::new();
        for part in unfinished.chunks(AT_ONCE) {
            let jobs: Vec<NewJob> = part.iter().filter_map(|id| self.new_job(id)).collect();
            let stored = clients.queue.enqueue_many(jobs);
            // The ids are the same if this is sent again.
            let stored = unless_stopped(&clients, &self.job, stored).await?;
            for (channel, stored) in part.iter().zip(stored.map_err(of_queue)?) {
                let planned = self.plan.channels.get_mut(channel);
                let Some(planned) = planned else { continue };
                let job = stored.id().to_string();
                if planned.job.as_ref() != Some(&job) {
                    (planned.job, planned.shared) = (Some(job), true);
                    shared.push(channel.clone());
                }
            }
        }
        let noted: Vec<Noted> = unfinished.iter().filter_map(|id| self.noted(id)).collect();
        if !noted.is_empty() {
            let now = clients.clock.now_ms();
            let guild = &self.scan.guild_id;
            clients.store.note(guild, &noted, now).await?;
        }
        self.plan.head.phase = Phase::Following;
        self.save(&shared, false).await
    }

    fn new_job(&self, channel: &str) -> Option<NewJob> {
        let id = self.plan.channels.get(channel)?.job.as_deref();
        let scan = ChannelScan {
            guild_id: self.scan.guild_id.clone(),
            channel_id: channel.to_owned(),
            scan_mode: Some(self.scan.mode()),
            direction: None,
            limit: None,
            before_message_id: None,
            after_message_id: None,
            auto_continue: false,
            rescan: false,
            guild_scan_id: Some(self.id().to_owned()),
            scheduled: false,
            options: ScanOptions {
                // The guild scan has listed the threads.
                include_threads: None,
                ..self.scan.options.clone()
            },
        };
        let mut job = scan.into_job(JobId::parse(id?)?).ok()?;
        job.priority = self.job.priority;
        job.traceparent = self.job.traceparent.clone();
        Some(job)
    }

    fn noted(&self, channel: &str) -> Option<Noted> {
        let planned = self.plan.channels.get(channel)?;
        let is_thread = planned.kind == shared::guild::ChannelKind::Thread;
        Some(Noted {
            channel_id: channel.to_owned(),
            job_id: planned.job.clone(),
            name: planned.name.clone(),
            parent_id: planned.parent_id.clone().filter(|_| is_thread),
        })
    }
}
