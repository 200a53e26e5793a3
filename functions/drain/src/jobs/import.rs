//! The job kind `import`: scans an uploaded file of DiscordChatExporter, without a bot.
//!
//! Clips are stored by their id, and those that are known already stay as they are: a scan
//! knows more about a clip than a file does. So a second run stores nothing twice. A file may
//! leave out messages, so the job moves no cursor of the channel and removes no clip.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::chat_export::{Checkpoint, Found, Reader, WrongFile};
use shared::counters::CLIPS;
use shared::jobs::ImportFile;
use shared::json::to_json;
use shared::queue::{ActiveJob, JobError, Outcome, Queue, Signal};
use shared::redis::Pipeline;
use shared::redis::commands::hashes::Hashes as _;
use shared::redis::commands::sorted_sets::SortedSets as _;
use shared::scan::{
    CLIPS_AT_ONCE, ClipRecord, Filter, GuildSettings, PageSave, Place, Saved, ScanProgress,
    ScanStatus, find_clips,
};

use super::arguments;
use super::probe::Requests;
use super::reporter::{FOUND, Reporter, failure};
use super::stop::StopReason;
use crate::Clients;

/// Messages that are saved together.
const AT_ONCE: u64 = 500;

/// Saved steps of a run. A longer import goes back into the queue, so that it does not delay
/// other jobs.
const STEPS: u32 = 100;

/// The position of a job.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Work {
    place: Checkpoint,
    scanned: u64,
    clips: u64,
    unreadable: u64,
}

pub async fn run(clients: Arc<Clients>, job: ActiveJob) -> Outcome {
    let args: ImportFile = match arguments(&job) {
        Ok(args) => args,
        Err(outcome) => return outcome,
    };
    let stored = job.checkpoint();
    let work: Work = stored
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let mut run = Run {
        reporter: Reporter::new(job.attempt.clone()),
        reader: Reader::at(work.place.clone()),
        offset: work.place.offset,
        settings: GuildSettings::default(),
        clips: Vec::new(),
        saved_scanned: work.scanned,
        steps: 0,
        probes: Requests::default(),
        clients,
        args,
        job,
        work,
    };
    let upload = run.args.upload_id.clone();
    match run.file().await {
        Ok(()) => {
            run.let_go(upload.as_str()).await;
            Outcome::Done(run.found(run.work.clips.into()))
        }
        Err(stop) => {
            if matches!(stop, StopReason::Fail(_)) {
                run.let_go(upload.as_str()).await;
            }
            run.give_up(stop).await
        }
    }
}

struct Run {
    clients: Arc<Clients>,
    args: ImportFile,
    job: ActiveJob,
    settings: GuildSettings,
    reader: Reader,
    /// Bytes of the file that were read.
    offset: u64,
    /// What was read since the last save, as if it were saved.
    work: Work,
    /// Clips since the last save.
    clips: Vec<ClipRecord>,
    /// Messages at the last save.
    saved_scanned: u64,
    steps: u32,
    probes: Requests,
    reporter: Reporter,
}

impl Run {
    async fn file(&mut self) -> Result<(), StopReason> {
        let policy = self.clients.store.scan_policy(&self.args.guild_id).await?;
        let id = self.job.attempt.id.as_str();
        self.clients.note_webhook(id, policy.has_webhook);
        self.settings = policy.settings;
        self.remember_found().await?;
        while self.offset < self.args.size_bytes && !self.reader.is_done() {
            let part = self.part().await?;
            let mut rest = part.as_slice();
            while !rest.is_empty() {
                let (used, found) = self.reader.read(rest).map_err(wrong)?;
                self.offset += used as u64;
                rest = &rest[used..];
                if let Some(found) = found {
                    self.take(&found).await?;
                }
                let is_full = self.clips.len() >= CLIPS_AT_ONCE / 2
                    || self.work.scanned - self.saved_scanned >= AT_ONCE;
                if is_full {
                    self.save(false).await?;
                    self.check_stop()?;
                }
            }
        }
        self.reader.finish().map_err(wrong)?;
        self.save(true).await
    }

    /// The part of the file that is read next, from there on.
    async fn part(&self) -> Result<Vec<u8>, StopReason> {
        let (size, upload) = (self.args.part_bytes.max(1), self.args.upload_id.as_str());
        let number = u32::try_from(self.offset / size + 1).unwrap_or(u32::MAX);
        let part = self.clients.uploads.read_part(upload, number).await?;
        let gone = || StopReason::fail("upload_expired", "the uploaded file is not there any more");
        let mut part = part.ok_or_else(gone)?;
        let read = usize::try_from(self.offset % size).unwrap_or(usize::MAX);
        if read >= part.len() {
            return Err(gone());
        }
        part.drain(..read);
        Ok(part)
    }

    async fn take(&mut self, found: &Found) -> Result<(), StopReason> {
        let place = self.reader.checkpoint().clone();
        let (Some(guild), Some(channel)) = (&place.guild_id, &place.channel_id) else {
            return Err(wrong(WrongFile::Nameless));
        };
        if *guild != self.args.guild_id {
            let message = "the file is an export of another guild";
            return Err(StopReason::fail("import_elsewhere", message));
        }
        if self.settings.leaves_out(channel) {
            let reason = "the guild's settings exclude the channel of the file";
            return Err(StopReason::Unwanted(JobError::reason(
                "channel_excluded",
                reason,
            )));
        }
        let min_seconds = self.args.options.min_video_seconds;
        let filter = Filter {
            min_seconds: min_seconds.or(self.settings.min_video_seconds),
            store_text: self.settings.store_text,
        };
        let of = Place {
            guild_id: guild,
            channel_id: channel,
            parent_id: None,
        };
        match found {
            Found::Message(message) => {
                let clips = find_clips(of, message, &filter);
                if self.clips.len() + clips.len() > CLIPS_AT_ONCE {
                    self.save(false).await?;
                }
                let clips = clips.into_iter();
                self.clips
                    .extend(clips.map(|clip| ClipRecord::new(clip, filter.min_seconds)));
            }
            Found::Unreadable => self.work.unreadable += 1,
        }
        self.work.scanned += 1;
        self.work.place = place;
        Ok(())
    }

    /// Leaves out the clips that are known already.
    ///
    /// # Errors
    /// If a record of one is another guild's: then the file names a channel of that guild, and
    /// its clips would replace those that were found there.
    async fn unknown(&self, channel: &str) -> Result<Vec<ClipRecord>, StopReason> {
        if self.clips.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.clients.store.keys();
        let rows = self.clips.iter();
        let rows: Vec<String> = rows
            .map(|record| keys.row(channel, &record.clip.message_id, &record.clip.id))
            .collect();
        let members: Vec<&str> = rows.iter().map(String::as_str).collect();
        let guild = &self.args.guild_id;
        let key = keys.by_channel(guild);
        let known = self.clients.redis.zmscore(&key, &members).await?;
        let clips = self.clips.iter().zip(rows).zip(known);
        let new = clips.filter(|(_, score)| score.is_none());
        let (new, rows): (Vec<ClipRecord>, Vec<String>) =
            new.map(|((clip, row), _)| (clip.clone(), row)).unzip();
        let stored = match rows.is_empty() {
            true => Vec::new(),
            false => self.clients.store.records(&rows).await?,
        };
        if stored.iter().flatten().any(|of| of.clip.guild_id != *guild) {
            let message = "the channel of the file belongs to another guild";
            return Err(StopReason::fail("import_elsewhere", message));
        }
        Ok(new)
    }

    async fn save(&mut self, done: bool) -> Result<(), StopReason> {
        // After the last message that was taken: the reader may be one ahead.
        if done {
            self.work.place = self.reader.checkpoint().clone();
        }
        let channel = self.reader.checkpoint().channel_id.clone();
        let channel = channel.unwrap_or_default();
        let clips = self.unknown(&channel).await?;
        let clients = self.clients.clone();
        let guild = &self.args.guild_id;
        self.probes.make(&clients, guild, &clips).await?;
        if self.reporter.is_first() {
            self.reporter
                .add_status(&clients, ScanStatus::Running, json!({}));
        }
        // Before the clips, which may be absent: the script recognises a repeated page by its
        // first event.
        let progress = self.progress(done);
        let progress = self.reporter.add_progress(&clients, &progress);
        self.reporter.add_clips(&clients);
        if done {
            let detail = json!({
                "messagesScanned": self.work.scanned,
                "clipsFound": FOUND,
            });
            self.reporter
                .add_status(&clients, ScanStatus::Succeeded, detail);
        }
        let events = self.reporter.take(&clients);
        let save = PageSave {
            guild_id: &self.args.guild_id,
            channel_id: &channel,
            job_id: self.job.attempt.id.as_str(),
            found: self.work.clips,
            clips: &clips,
            progress: Some(progress),
            watch: vec![clients.queue.state_field(&self.job.attempt.id).field],
            events: &events,
            count: done.then(|| clients.counters.places(CLIPS)),
            ..PageSave::default()
        };
        let mut pipeline = Pipeline::new();
        let slot = clients.store.add_page(&mut pipeline, &save);
        let saved = pipeline.send(&*clients.redis).await?.take(slot)?;
        self.work.clips = match saved.saved {
            Saved::Duplicate => serde_json::from_str::<ScanProgress>(&saved.before)
                .map_or(saved.found, |progress| progress.clips_found),
            Saved::Yes | Saved::Superseded => saved.found,
        };
        self.clips.clear();
        self.saved_scanned = self.work.scanned;
        self.steps += 1;
        self.job.set_checkpoint(to_json(&self.work));
        if saved
            .watched
            .first()
            .is_some_and(|text| Queue::is_cancelled(text))
        {
            return Err(StopReason::Cancelled);
        }
        Ok(())
    }

    /// Called after a save, when nothing is lost by stopping.
    fn check_stop(&self) -> Result<(), StopReason> {
        match self.job.signal() {
            Signal::Cancel => Err(StopReason::Cancelled),
            Signal::HandBack => Err(StopReason::Later(Duration::ZERO)),
            Signal::GoOn if self.steps >= STEPS => Err(StopReason::Later(Duration::ZERO)),
            Signal::GoOn => Ok(()),
        }
    }

    /// Loads the number of clips that earlier attempts found. An attempt that died has left
    /// its progress but no checkpoint.
    async fn remember_found(&mut self) -> Result<(), StopReason> {
        if self.job.fence() > 1 {
            let field = self.clients.queue.progress(&self.job.attempt.id, "");
            let stored = self.clients.redis.hget(&field.key, &field.field).await?;
            let stored = stored.and_then(|text| serde_json::from_str::<ScanProgress>(&text).ok());
            self.work.clips = stored.map_or(self.work.clips, |progress| progress.clips_found);
        }
        Ok(())
    }

    fn progress(&self, done: bool) -> ScanProgress {
        let share = self.offset * 100 / self.args.size_bytes.max(1);
        ScanProgress {
            current: self.work.scanned,
            total: None,
            percent: Some(if done { 100 } else { share.min(99) as u8 }),
            clips_found: self.work.clips,
            reached_start: None,
            updated_at: self.clients.clock.now_ms(),
        }
    }

    fn found(&self, clips: serde_json::Value) -> serde_json::Value {
        json!({
            "channelId": self.reader.checkpoint().channel_id,
            "messagesScanned": self.work.scanned,
            "clipsFound": clips,
            "unreadableMessages": self.work.unreadable,
        })
    }

    /// Nobody needs the file any more. If this fails, it expires a day later.
    async fn let_go(&self, upload: &str) {
        if let Err(error) = self.clients.uploads.let_go(upload).await {
            let error = shared::telemetry::chain(&error);
            tracing::warn!(upload, error, "an uploaded file is kept for a day");
        }
    }

    /// Reports why the job stops here.
    async fn give_up(&mut self, stop: StopReason) -> Outcome {
        let last = self.job.is_last_attempt();
        let (status, detail) = match &stop {
            StopReason::Fail(reason) => (ScanStatus::Failed, failure(reason)),
            StopReason::Retry(reason) if last => (ScanStatus::Failed, failure(reason)),
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

fn wrong(why: WrongFile) -> StopReason {
    StopReason::fail("import_unreadable", &why.to_string())
}
