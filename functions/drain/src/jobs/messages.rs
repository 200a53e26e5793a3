//! Scanning single messages, as a bot names them when they are posted.
//!
//! Clips are stored by their id, and what is left to read is the job's checkpoint: a
//! second run stores nothing twice. The channel's cursors are not moved, and its owner
//! is not disturbed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::discord::{Error as DiscordError, MessageId, Page, Position};
use shared::jobs::MessageScan;
use shared::queue::{ActiveJob, Outcome, Signal};
use shared::redis::Pipeline;
use shared::scan::{Clip, Filter, GuildSettings, ScanProgress, ScanStatus, find_clips};

use super::reporter::Reporter;
use super::trouble::{Trouble, heed, with_jitter};
use super::{arguments, checks};
use crate::Environment;

/// A window of history is asked for while it may hold this many of the messages;
/// fewer are asked for one by one.
const WORTH_A_WINDOW: usize = 3;

/// How far a job is.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Work {
    left: BTreeSet<MessageId>,
    scanned: u64,
    clips: u64,
    missing: u64,
}

pub async fn run(env: Arc<Environment>, job: ActiveJob) -> Outcome {
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
        env,
        scan,
        job,
        work,
    };
    match run.messages().await {
        Ok(()) => Outcome::Done(run.found()),
        Err(trouble) => run.give_up(trouble).await,
    }
}

struct Run {
    env: Arc<Environment>,
    scan: MessageScan,
    /// Of the guild, once they are read.
    settings: GuildSettings,
    job: ActiveJob,
    work: Work,
    reporter: Reporter,
}

impl Run {
    async fn messages(&mut self) -> Result<(), Trouble> {
        let now = self.env.clock.now_ms();
        let (paused_until, settings) = self.env.store.outlook(&self.scan.guild_id).await?;
        self.settings = settings;
        if let Some(until) = paused_until.filter(|until| *until > now) {
            let pause = Duration::from_millis(u64::try_from(until - now).unwrap_or(0));
            return Err(Trouble::Later(with_jitter(pause)));
        }
        let (guild, channel) = (&self.scan.guild_id, &self.scan.channel_id);
        checks::channel(&self.env, &self.settings, guild, channel).await?;
        let mut content_checked = false;
        while let Some(newest) = self.work.left.last().copied() {
            let (page, gone) = match self.work.left.len() > WORTH_A_WINDOW {
                true => self.window(newest).await?,
                false => self.single(newest).await?,
            };
            checks::content(&self.env, &page, &mut content_checked).await?;
            self.save(&page, &gone).await?;
            if !self.work.left.is_empty() {
                self.pause(page.wait.max(self.env.page_interval)).await?;
            }
        }
        Ok(())
    }

    /// A hundred messages down from `newest`, those of the job alone, and which of them
    /// are gone.
    async fn window(&self, newest: MessageId) -> Result<(Page, Vec<MessageId>), Trouble> {
        let position = Position::Before(MessageId(newest.0 + 1));
        let (env, channel) = (&self.env, &self.scan.channel_id);
        let mut page = heed(env, env.discord.messages(channel, position, 100).await).await?;
        let Some((low, _)) = page.range else {
            // None so old, or no right to see any.
            checks::history(env, channel, Some(newest), Position::Newest).await?;
            return Ok((page, self.work.left.iter().copied().collect()));
        };
        page.messages
            .retain(|message| self.work.left.contains(&message.id));
        let there: BTreeSet<MessageId> = page.messages.iter().map(|message| message.id).collect();
        let gone = self
            .work
            .left
            .range(low..)
            .filter(|id| !there.contains(id))
            .copied();
        Ok((page, gone.collect()))
    }

    async fn single(&self, id: MessageId) -> Result<(Page, Vec<MessageId>), Trouble> {
        let mut page = Page::default();
        match self.env.discord.message(&self.scan.channel_id, id).await {
            Ok(message) => page.messages.push(message),
            Err(DiscordError::NotFound { .. } | DiscordError::Malformed) => {
                return Ok((page, vec![id]));
            }
            Err(other) => return heed(&self.env, Err(other)).await,
        }
        Ok((page, Vec::new()))
    }

    async fn save(&mut self, page: &Page, gone: &[MessageId]) -> Result<(), Trouble> {
        let filter = Filter {
            min_seconds: (self.scan.options.min_video_seconds).or(self.settings.min_video_seconds),
        };
        let (guild, channel) = (&self.scan.guild_id, &self.scan.channel_id);
        let found = page.messages.iter();
        let clips: Vec<Clip> = found
            .flat_map(|message| find_clips(guild, channel, message, &filter))
            .collect();
        let mut work = self.work.clone();
        for id in page
            .messages
            .iter()
            .map(|message| message.id)
            .chain(gone.iter().copied())
        {
            work.left.remove(&id);
        }
        work.scanned += page.messages.len() as u64;
        work.clips += clips.len() as u64;
        work.missing += gone.len() as u64;

        let env = self.env.clone();
        let mut pipeline = Pipeline::new();
        if self.reporter.is_first() {
            self.reporter
                .add_status(&env, &mut pipeline, ScanStatus::Running, json!({}));
        }
        self.reporter.add_clips(&env, &mut pipeline, &clips);
        if !gone.is_empty() {
            let data =
                json!({ "message": "messages are gone or could not be read", "messageIds": gone });
            self.reporter.add_log(&env, &mut pipeline, data);
        }
        let progress = self.progress(&work);
        let progress = self.reporter.add_progress(&env, &mut pipeline, &progress);
        let slot = env
            .store
            .add_page(&mut pipeline, guild, channel, None, &clips, Some(&progress));
        let done = work.left.is_empty();
        self.work = work;
        if done {
            let found = self.found();
            self.reporter
                .add_status(&env, &mut pipeline, ScanStatus::Succeeded, found);
            self.reporter
                .add_count(&env, &mut pipeline, self.work.clips);
        }
        let mut replies = pipeline.send(&*env.redis).await?;
        env.store.read_page(&mut replies, slot)?;
        self.job
            .set_checkpoint(serde_json::to_string(&self.work).unwrap_or_default());
        Ok(())
    }

    fn progress(&self, work: &Work) -> ScanProgress {
        let total = work.scanned + work.missing + work.left.len() as u64;
        let current = work.scanned + work.missing;
        ScanProgress {
            current,
            total: Some(total),
            percent: current as f64 * 100.0 / total.max(1) as f64,
            clips_found: work.clips,
            updated_at: self.env.clock.now_ms(),
        }
    }

    fn found(&self) -> serde_json::Value {
        json!({
            "messagesScanned": self.work.scanned,
            "clipsFound": self.work.clips,
            "missingMessages": self.work.missing,
        })
    }

    async fn pause(&self, pause: Duration) -> Result<(), Trouble> {
        let mut job = self.job.clone();
        tokio::select! {
            biased;
            signal = job.interrupted() => Err(match signal {
                Signal::Cancel => Trouble::Cancelled,
                Signal::HandBack | Signal::GoOn => Trouble::Later(Duration::ZERO),
            }),
            () = self.env.clock.sleep(pause) => Ok(()),
        }
    }

    /// Tells why the job does not go on here.
    async fn give_up(&mut self, trouble: Trouble) -> Outcome {
        let (status, detail) = match &trouble {
            Trouble::Never(reason) => (ScanStatus::Failed, json!({ "error": reason })),
            Trouble::Again(reason) if self.job.is_last_attempt() => {
                (ScanStatus::Failed, json!({ "error": reason }))
            }
            Trouble::Again(reason) => (ScanStatus::Pending, json!({ "error": reason })),
            Trouble::Unwanted(reason) => (ScanStatus::Cancelled, json!({ "error": reason })),
            Trouble::Cancelled => (ScanStatus::Cancelled, json!({})),
            Trouble::Later(_) | Trouble::Superseded => (ScanStatus::Pending, json!({})),
        };
        let env = self.env.clone();
        let mut pipeline = Pipeline::new();
        self.reporter
            .add_status(&env, &mut pipeline, status, detail);
        // Events are told as far as Redis is there; the outcome decides.
        if let Err(error) = pipeline.send(&*env.redis).await {
            let (job_id, error) = (&self.job.attempt.id, shared::telemetry::chain(&error));
            tracing::warn!(%job_id, error, "event not told");
        }
        trouble.outcome()
    }
}
