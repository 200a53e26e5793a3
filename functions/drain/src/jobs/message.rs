//! The job kind `message`: scans single messages, which a bot names when they are posted.
//!
//! Clips are stored by their ID, and the checkpoint of the job holds the messages still
//! to read, so a second run stores nothing twice. The job neither moves the channel's
//! cursors nor affects its owner.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::counters::CLIPS;
use shared::discord::{Error as DiscordError, MessageId, Page, Position};
use shared::jobs::MessageScan;
use shared::json::to_json;
use shared::queue::{ActiveJob, Outcome};
use shared::redis::Pipeline;
use shared::redis::commands::hashes::Hashes as _;
use shared::scan::{
    CLIPS_AT_ONCE, ClipRecord, Filter, GuildSettings, PageSave, PauseReason, Place, Saved,
    ScanProgress, ScanStatus, Stretch, find_clips,
};

use super::channel::page;
use super::probe::Requests;
use super::reporter::{FOUND, Reporter, failure};
use super::stop::{OutageWait, StopReason, checked};
use super::watch::{self, unless_stopped};
use super::{arguments, checks};
use crate::Clients;

/// A window of history is requested if it may contain at least this many of the messages.
/// Fewer messages are requested one by one.
const WORTH_A_WINDOW: usize = 3;

/// The position of a job.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Work {
    left: BTreeSet<MessageId>,
    scanned: u64,
    clips: u64,
    missing: u64,
    #[serde(flatten)]
    waiting: OutageWait,
}

/// The messages read in one step.
struct Read {
    page: Page,
    /// Messages of the job that do not exist or cannot be read.
    gone: Vec<MessageId>,
    /// The ranges that were read.
    stretches: Vec<Stretch>,
}

pub async fn run(clients: Arc<Clients>, job: ActiveJob) -> Outcome {
    let scan: MessageScan = match arguments(&job) {
        Ok(scan) => scan,
        Err(outcome) => return outcome,
    };
    let stored = job
        .checkpoint()
        .and_then(|text| serde_json::from_str(&text).ok());
    let work = stored.unwrap_or_else(|| Work {
        left: scan
            .message_ids
            .iter()
            .filter_map(|id| MessageId::parse(id))
            .collect(),
        ..Work::default()
    });
    let mut run = Run {
        reporter: Reporter::new(job.attempt.clone()),
        settings: GuildSettings::default(),
        parent_id: None,
        was_unreachable: false,
        requests: 0,
        clients,
        scan,
        job,
        work,
    };
    match run.messages().await {
        Ok(()) => Outcome::Done(run.found(run.work.clips.into())),
        Err(stop) => run.give_up(stop).await,
    }
}

struct Run {
    clients: Arc<Clients>,
    scan: MessageScan,
    /// The guild's settings, once they have been read.
    settings: GuildSettings,
    job: ActiveJob,
    work: Work,
    reporter: Reporter,
    /// The channel that a thread is in.
    parent_id: Option<String>,
    /// Whether the last request found Discord unreachable.
    was_unreachable: bool,
    /// Requests to Discord since messages were last saved.
    requests: u64,
}

impl Run {
    async fn messages(&mut self) -> Result<(), StopReason> {
        let now = self.clients.clock.now_ms();
        let policy = self.clients.store.scan_policy(&self.scan.guild_id).await?;
        let breaker = policy.breaker;
        (self.settings, self.was_unreachable) = (policy.settings, breaker.is_away());
        if let Some(until) = breaker.pauses(&self.clients.discord.token_mark(), now) {
            return Err(watch::discord_paused(&breaker, until, now));
        }
        self.clients.forget_pause();
        let (guild, channel) = (&self.scan.guild_id, &self.scan.channel_id);
        self.requests += 1;
        let found = checks::readable(&self.clients, &self.settings, guild, channel).await?;
        self.parent_id = found.parent_id.clone().filter(|_| found.is_thread());
        self.remember_found().await?;
        let mut content_checked = false;
        while let Some(newest) = self.work.left.last().copied() {
            if let Some(until) = self.clients.paused_until(self.clients.clock.now_ms()) {
                return Err(watch::later(until, self.clients.clock.now_ms()));
            }
            self.requests += 1;
            let read = match self.work.left.len() > WORTH_A_WINDOW {
                true => self.window(newest).await?,
                false => self.single(newest).await?,
            };
            checks::content(&self.clients, &read.page, &mut content_checked).await?;
            let wait = read.page.wait.max(self.clients.page_interval);
            let watched = self.save(read).await?;
            if std::mem::take(&mut self.was_unreachable) {
                let (store, board) = (&self.clients.store, &self.clients.board);
                store.resume_discord(Some(PauseReason::Away), board).await?;
            }
            if !self.work.left.is_empty() {
                watch::check_stop(&self.clients, &watched)?;
                let wait = wait.max(watch::pace_wait(&watched, self.clients.clock.now_ms()));
                unless_stopped(&self.clients, &self.job, self.clients.clock.sleep(wait)).await?;
            }
        }
        Ok(())
    }

    /// Loads the number of clips that earlier attempts found. An attempt that died has
    /// left its progress but no checkpoint.
    async fn remember_found(&mut self) -> Result<(), StopReason> {
        if self.job.fence() > 1 {
            let field = self.clients.queue.progress(&self.job.attempt.id, "");
            let stored = self.clients.redis.hget(&field.key, &field.field).await?;
            let stored = stored.and_then(|text| serde_json::from_str::<ScanProgress>(&text).ok());
            self.work.clips = stored.map_or(self.work.clips, |progress| progress.clips_found);
        }
        Ok(())
    }

    /// Reads a hundred messages down from `newest`. Returns only those of the job, and
    /// which of them do not exist any more.
    async fn window(&self, newest: MessageId) -> Result<Read, StopReason> {
        let position = Position::Before(MessageId(newest.0.saturating_add(1)));
        let (clients, channel) = (&self.clients, &self.scan.channel_id);
        let asked = clients.discord.messages(channel, position, 100);
        let answer = unless_stopped(clients, &self.job, asked).await?;
        let mut page = checked(clients, answer).await?;
        let Some((low, _)) = page.range else {
            // Either no message is that old, or the bot may not see any.
            checks::history(clients, channel, Some(newest), Position::Newest).await?;
            let gone: Vec<MessageId> = self.work.left.iter().copied().collect();
            let stretches = gone.iter().copied().map(alone).collect();
            return Ok(Read {
                page,
                gone,
                stretches,
            });
        };
        let left = &self.work.left;
        page.messages.retain(|message| left.contains(&message.id));
        page.unreadable
            .retain(|m| m.id.is_none_or(|id| left.contains(&id)));
        let there: BTreeSet<MessageId> = page.messages.iter().map(|message| message.id).collect();
        let gone = left.range(low..).filter(|id| !there.contains(id)).copied();
        let high = newest;
        Ok(Read {
            gone: gone.collect(),
            stretches: vec![Stretch { low, high }],
            page,
        })
    }

    async fn single(&self, id: MessageId) -> Result<Read, StopReason> {
        let asked = self.clients.discord.message(&self.scan.channel_id, id);
        let mut read = Read {
            page: Page::default(),
            gone: Vec::new(),
            stretches: vec![alone(id)],
        };
        match unless_stopped(&self.clients, &self.job, asked).await? {
            Ok(message) => read.page.messages.push(message),
            Err(DiscordError::NotFound { .. }) => read.gone.push(id),
            Err(DiscordError::Malformed) => {
                read.gone.push(id);
                read.stretches.clear();
            }
            Err(other) => return checked(&self.clients, Err(other)).await,
        }
        Ok(read)
    }

    /// Returns the clips that one call can save and cuts the page after their messages.
    /// The other messages are read again.
    fn clips_of(&self, page: &mut Page) -> Vec<ClipRecord> {
        let min_seconds = (self.scan.options.min_video_seconds).or(self.settings.min_video_seconds);
        let filter = Filter {
            min_seconds,
            store_text: self.settings.store_text,
        };
        let place = Place {
            guild_id: &self.scan.guild_id,
            channel_id: &self.scan.channel_id,
            parent_id: self.parent_id.as_deref(),
        };
        let (mut clips, mut is_full) = (Vec::new(), false);
        page.messages.retain(|message| {
            let found = find_clips(place, message, &filter);
            is_full |= clips.len() + found.len() > CLIPS_AT_ONCE;
            if !is_full {
                let found = found.into_iter();
                clips.extend(found.map(|clip| ClipRecord::new(clip, min_seconds)));
            }
            !is_full
        });
        clips
    }

    async fn save(&mut self, read: Read) -> Result<Vec<String>, StopReason> {
        let Read {
            mut page,
            gone,
            stretches,
        } = read;
        let clips = self.clips_of(&mut page);
        let mut work = self.work.clone();
        work.waiting = OutageWait::default();
        let there = page.messages.iter().map(|message| message.id);
        let only: Vec<MessageId> = there.chain(gone.iter().copied()).collect();
        for id in &only {
            work.left.remove(id);
        }
        work.scanned += page.messages.len() as u64;
        work.missing += gone.len() as u64;

        let stale = self.stale(&page, &stretches, &only, &clips).await?;
        let clients = self.clients.clone();
        let mut requests = Requests::default();
        let guild = &self.scan.guild_id;
        requests.make(&clients, guild, &clips).await?;
        let (now, done) = (clients.clock.now_ms(), work.left.is_empty());
        if self.reporter.is_first() {
            self.reporter
                .add_status(&clients, ScanStatus::Running, json!({}));
        }
        // Sent before the clips, which may be absent. The script recognises a repeated
        // page by its first event, so the first event must be one that every page has.
        let progress = self.progress(&work);
        let progress = self.reporter.add_progress(&clients, &progress);
        self.reporter.add_removed(&clients);
        self.reporter.add_clips(&clients);
        if !gone.is_empty() {
            let data = json!({ "message": "some messages were deleted or could not be read", "messageIds": gone });
            self.reporter.add_log(&clients, &data);
        }
        self.work = work;
        if done {
            let found = self.found(FOUND.into());
            self.reporter
                .add_status(&clients, ScanStatus::Succeeded, found);
        }
        let events = self.reporter.take(&clients);
        let save = PageSave {
            guild_id: &self.scan.guild_id,
            channel_id: &self.scan.channel_id,
            job_id: self.job.attempt.id.as_str(),
            found: self.work.clips,
            clips: &clips,
            stretches: &stretches,
            stale: &stale,
            may_have_rows: true,
            progress: Some(progress),
            watch: watch::fields(&clients, &self.job),
            pace: watch::pace(&clients, self.requests, now),
            events: &events,
            count: done.then(|| clients.counters.places(CLIPS)),
            ..PageSave::default()
        };
        let mut pipeline = Pipeline::new();
        let slot = clients.store.add_page(&mut pipeline, &save);
        let mut replies = pipeline.send(&*clients.redis).await?;
        let saved = replies.take(slot)?;
        self.work.clips = match saved.saved {
            Saved::Duplicate => serde_json::from_str::<ScanProgress>(&saved.before)
                .map_or(saved.found, |progress| progress.clips_found),
            Saved::Yes | Saved::Superseded => saved.found,
        };
        self.requests = 0;
        self.job.set_checkpoint(to_json(&self.work));
        Ok(saved.watched)
    }

    /// The rows of the messages in `only` that are gone. There are too few messages for
    /// more rows than one call removes.
    async fn stale(
        &self,
        page: &Page,
        stretches: &[Stretch],
        only: &[MessageId],
        clips: &[ClipRecord],
    ) -> Result<Vec<String>, StopReason> {
        let kept: BTreeSet<MessageId> = page::doubtful(page).flatten().collect();
        let mut stale = Vec::new();
        for stretch in stretches {
            let (guild, channel) = (&self.scan.guild_id, &self.scan.channel_id);
            let rows = self.clients.store.rows_in(guild, channel, *stretch).await?;
            let is_read = |id: MessageId| only.contains(&id) && !kept.contains(&id);
            stale.extend(page::gone(rows, clips, is_read));
        }
        Ok(stale)
    }

    fn progress(&self, work: &Work) -> ScanProgress {
        let total = work.scanned + work.missing + work.left.len() as u64;
        let current = work.scanned + work.missing;
        ScanProgress {
            current,
            total: Some(total),
            percent: u8::try_from(current * 100 / total.max(1)).ok(),
            clips_found: work.clips,
            reached_start: None,
            updated_at: self.clients.clock.now_ms(),
        }
    }

    fn found(&self, clips: serde_json::Value) -> serde_json::Value {
        json!({
            "messagesScanned": self.work.scanned,
            "clipsFound": clips,
            "missingMessages": self.work.missing,
        })
    }

    /// Reports why the job stops here.
    async fn give_up(&mut self, stop: StopReason) -> Outcome {
        let stop = match stop {
            StopReason::Unreachable(outage) => {
                let (now, asked) = (self.clients.clock.now_ms(), self.requests > 0);
                let next = self.work.waiting.next(now, outage, asked);
                self.job.set_checkpoint(to_json(&self.work));
                next
            }
            other => other,
        };
        let (status, detail) = match &stop {
            StopReason::Fail(reason) => (ScanStatus::Failed, failure(reason)),
            StopReason::Retry(reason) if self.job.is_last_attempt() => {
                (ScanStatus::Failed, failure(reason))
            }
            StopReason::Retry(reason) => (ScanStatus::Pending, failure(reason)),
            StopReason::Unwanted(reason) => (ScanStatus::Cancelled, failure(reason)),
            StopReason::Cancelled => (ScanStatus::Cancelled, json!({})),
            StopReason::Later(_)
            | StopReason::Busy(_)
            | StopReason::Unreachable(_)
            | StopReason::Superseded => (ScanStatus::Pending, json!({})),
        };
        let clients = self.clients.clone();
        let mut pipeline = Pipeline::new();
        self.reporter.add_status(&clients, status, detail);
        self.reporter.add_to(&clients, &mut pipeline);
        // Best effort: the outcome matters, and the queue records it in any case.
        if let Err(error) = pipeline.send(&*clients.redis).await {
            let (job_id, error) = (&self.job.attempt.id, shared::telemetry::chain(&error));
            tracing::warn!(%job_id, error, "an event could not be sent");
        }
        stop.outcome()
    }
}

/// The range of a single message.
fn alone(id: MessageId) -> Stretch {
    Stretch { low: id, high: id }
}
