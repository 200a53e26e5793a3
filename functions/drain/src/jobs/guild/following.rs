//! How the scans of a guild scan stand, and its end.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use shared::jobs::{GuildStanding, fold};
use shared::queue::{Job, JobId, Outcome, Redriven};
use shared::redis::Pipeline;
use shared::scan::{Channel, Phase, ScanStatus};

use super::choice::is_complete;
use super::{Run, of_queue};
use crate::jobs::stop::StopReason;

/// The wait between two looks: a tenth of the time since the plan was made, within these.
const SHORTEST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(60);

/// Redriven jobs per call.
const AT_ONCE: usize = 100;

impl Run {
    /// Looks at the scans. Ends if all have ended, and looks again later if not.
    pub(super) async fn follow(&mut self) -> Result<Outcome, StopReason> {
        let (jobs, ended) = self.look().await?;
        let now = self.clients.clock.now_ms();
        let standing = GuildStanding::of(&self.plan, &jobs, now);
        if standing.unfinished() > 0 {
            if !ended.is_empty() {
                self.save(&ended, false).await?;
            }
            self.report(&standing).await?;
            let age = u64::try_from(now - self.plan.head.planned_at).unwrap_or(0);
            let after = Duration::from_millis(age / 10).clamp(SHORTEST, LONGEST);
            return Ok(Outcome::Snooze { after });
        }
        self.keep_threads_seen().await?;
        self.plan.head.phase = Phase::Ended;
        self.save(&ended, false).await?;
        self.end(&standing).await
    }

    /// Reads the scans that had not ended, and takes over the results of those that have.
    /// Returns what was read, and the channels that ended.
    async fn look(&mut self) -> Result<(Vec<Job>, Vec<String>), StopReason> {
        let unfinished = self.plan.unfinished();
        let ids: Vec<JobId> = unfinished
            .iter()
            .filter_map(|id| JobId::parse(self.plan.channels.get(id)?.job.as_deref()?))
            .collect();
        let jobs = match ids.is_empty() {
            true => Vec::new(),
            false => self.clients.queue.jobs(&ids).await.map_err(of_queue)?,
        };
        let gone = self.records_of_gone(&unfinished, &jobs).await?;
        let ended = fold(&mut self.plan, &jobs, &gone);
        Ok((jobs, ended))
    }

    /// Retention keeps a thousand completed jobs. What became of an older one is in the
    /// record of its channel.
    async fn records_of_gone(
        &self,
        unfinished: &[String],
        jobs: &[Job],
    ) -> Result<BTreeMap<String, Channel>, StopReason> {
        let is_there = |channel: &&String| {
            let planned = self.plan.channels.get(*channel);
            let job = planned.and_then(|planned| planned.job.as_deref());
            jobs.iter().any(|found| Some(found.id.as_str()) == job)
        };
        let gone = unfinished.iter().filter(|channel| !is_there(channel));
        let gone: Vec<&str> = gone.map(String::as_str).collect();
        let guild = &self.scan.guild_id;
        let records = self.clients.store.records_of(guild, &gone).await?;
        let records = gone.into_iter().map(str::to_owned).zip(records);
        Ok(records
            .map(|(channel, record)| (channel, record.unwrap_or_default()))
            .collect())
    }

    /// Writes the progress, if it has changed.
    async fn report(&mut self, standing: &GuildStanding) -> Result<(), StopReason> {
        let text = self
            .reporter
            .add_numbers(&self.clients, &standing.progress());
        self.save_progress(&text).await
    }

    /// Writes the progress together with the events that were added.
    async fn save_progress(&mut self, progress: &str) -> Result<(), StopReason> {
        let clients = self.clients.clone();
        let mut pipeline = Pipeline::new();
        let id = &self.job.attempt.id;
        clients.queue.add_progress(&mut pipeline, id, progress);
        self.reporter.add_to(&clients, &mut pipeline);
        pipeline.send(&*clients.redis).await?;
        Ok(())
    }

    async fn end(&mut self, standing: &GuildStanding) -> Result<Outcome, StopReason> {
        // First, because nothing may follow the event of the last status.
        let progress = self
            .reporter
            .add_numbers(&self.clients, &standing.progress());
        let left_out = standing.unreadable_ids();
        if !left_out.is_empty() {
            let data = json!({
                "message": "some channels could not be read",
                "messageIds": [],
                "channelIds": left_out,
            });
            self.reporter.add_log(&self.clients, &data);
        }
        let failed = match standing.failure() {
            Some((code, message)) => Err(StopReason::fail(code, &message)),
            None => Ok(()),
        };
        if failed.is_ok() {
            let result = standing.result();
            let detail = json!({
                "messagesScanned": result.messages_scanned,
                "clipsFound": result.clips_found,
            });
            self.reporter
                .add_status(&self.clients, ScanStatus::Succeeded, detail);
        }
        self.save_progress(&progress).await?;
        failed?;
        Ok(Outcome::Done(json!(standing.result())))
    }

    /// Keeps how far archived threads are known, for channels all of whose threads were read.
    async fn keep_threads_seen(&self) -> Result<(), StopReason> {
        if !is_complete(&self.scan) {
            return Ok(());
        }
        let mut seen = self.plan.head.seen.clone();
        for planned in self.plan.channels.values() {
            let is_read = planned.job.is_none() || planned.status == Some(ScanStatus::Succeeded);
            if let Some(parent) = planned.parent_id.as_ref().filter(|_| !is_read) {
                seen.remove(parent);
            }
        }
        let (store, guild) = (&self.clients.store, &self.scan.guild_id);
        store.save_threads_seen(guild, &seen).await?;
        Ok(())
    }

    /// Runs the scans that failed or were cancelled again, after the guild scan was retried.
    pub(super) async fn begin_again(&mut self) -> Result<(), StopReason> {
        let clients = self.clients.clone();
        self.look().await?;
        let is_to_do = |status| matches!(status, Some(ScanStatus::Failed | ScanStatus::Cancelled));
        // Those that still run are followed as before.
        for planned in self.plan.channels.values_mut() {
            planned.stored |= planned.is_unfinished();
        }
        let channels = self.plan.channels.iter();
        let again: Vec<String> = channels
            .filter(|(_, planned)| planned.job.is_some() && is_to_do(planned.status))
            .map(|(id, _)| id.clone())
            .collect();
        self.plan.head.round += 1;
        for part in again.chunks(AT_ONCE) {
            let ids: Vec<JobId> = part
                .iter()
                .filter_map(|id| JobId::parse(self.plan.channels.get(id)?.job.as_deref()?))
                .collect();
            let redriven = clients.queue.redrive_many(&ids).await.map_err(of_queue)?;
            for (channel, redriven) in part.iter().zip(redriven) {
                let new = self.job_id(channel).to_string();
                let planned = self.plan.channels.get_mut(channel);
                let Some(planned) = planned else { continue };
                (
                    planned.status,
                    planned.messages_scanned,
                    planned.clips_found,
                ) = (None, 0, 0);
                (planned.error_code, planned.error_message) = (None, None);
                planned.stored = matches!(redriven, Redriven::Done | Redriven::NotFailed(_));
                if !planned.stored {
                    // A new job, or the one that is there instead.
                    (planned.job, planned.shared) = (Some(new), false);
                }
            }
        }
        self.plan.head.phase = Phase::Storing;
        let all: Vec<String> = self.plan.channels.keys().cloned().collect();
        self.save(&all, false).await
    }
}
