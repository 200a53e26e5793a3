//! Scanning a stretch of a channel: page after page, each saved with its clips, its
//! counts and the job's place in one script.
//!
//! Running it twice is harmless: the channel's record has one owner, a page that
//! was saved is not saved again, and a job that starts anew goes on where its last
//! saved page ended.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shared::discord::{MessageId, Page};
use shared::jobs::ChannelScan;
use shared::queue::{ActiveJob, Outcome, Signal};
use shared::redis::{HashField, Pipeline};
use shared::scan::{
    Channel, Clip, Filter, GuildSettings, Saved, ScanProgress, ScanStatus, Work, find_clips,
};

use super::ownership::{LONGEST_PAUSE, Taken, former_owner, owner, take};
use super::reporter::Reporter;
use super::trouble::{Trouble, heed, with_jitter};
use super::{arguments, checks, page};
use crate::Environment;

/// How long a scan that has got on waits before it tries Discord again.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

pub async fn run(env: Arc<Environment>, job: ActiveJob) -> Outcome {
    let scan: ChannelScan = match arguments(&job) {
        Ok(scan) => scan,
        Err(outcome) => return outcome,
    };
    let (channel, settings) = match take(&env, &scan, &job).await {
        Ok(Taken::Channel(channel, settings)) => (*channel, settings),
        Ok(Taken::Done(work)) => return done(&work),
        Err(trouble) => return trouble.outcome(),
    };
    let work = channel.works.get(job.attempt.id.as_str()).cloned();
    let fresh = channel.forward_message_id.is_none() && work.is_none();
    let mut run = Run {
        reporter: Reporter::new(job.attempt.clone()),
        most: scan.most(fresh || work.as_ref().is_some_and(|work| work.after.is_none())),
        work: work.unwrap_or_else(|| page::begin(&scan, &channel)),
        oldest: MessageId(0),
        newest: None,
        from: MessageId(0),
        pages: 0,
        content_checked: false,
        env,
        scan,
        settings,
        job,
        channel,
    };
    match run.pages().await {
        Ok(()) => done(&run.work),
        Err(trouble) => run.give_up(trouble).await,
    }
}

fn done(work: &Work) -> Outcome {
    Outcome::Done(json!({
        "messagesScanned": work.listed,
        "clipsFound": work.clips,
        "unreadableMessages": work.unreadable,
    }))
}

/// One attempt at a scan.
struct Run {
    env: Arc<Environment>,
    scan: ChannelScan,
    /// Of the guild, when this attempt began.
    settings: GuildSettings,
    job: ActiveJob,
    /// As last saved; this attempt owns it.
    channel: Channel,
    work: Work,
    reporter: Reporter,
    /// Messages to list at most.
    most: Option<u64>,
    /// Where the channel begins and ends, for the percentage.
    oldest: MessageId,
    newest: Option<MessageId>,
    /// Where a forward scan began, likewise.
    from: MessageId,
    /// Pages saved by this attempt.
    pages: u64,
    content_checked: bool,
}

impl Run {
    async fn pages(&mut self) -> Result<(), Trouble> {
        self.pause(Duration::from_millis(
            u64::try_from(self.channel.next_page_at - self.env.clock.now_ms()).unwrap_or(0),
        ))
        .await?;
        let (guild, id) = (&self.scan.guild_id, &self.scan.channel_id);
        let channel = checks::channel(&self.env, &self.settings, guild, id).await?;
        (self.oldest, self.newest) = (channel.id, channel.last_message_id);
        self.from = self.work.after.unwrap_or(channel.id);
        self.channel.channel_name = channel.name;
        loop {
            let limit = page::limit(&self.work, self.most);
            let found = if limit == 0 {
                Page::default()
            } else {
                page::trimmed(self.fetch(limit).await?, &self.work, self.most)
            };
            if limit > 0 && found.length == 0 {
                let (id, position) = (&self.scan.channel_id, page::position(&self.work));
                checks::history(&self.env, id, self.newest, position).await?;
            }
            checks::content(&self.env, &found, &mut self.content_checked).await?;
            let wait = found.wait.max(self.env.page_interval);
            let done = self.save(found, limit, wait).await?;
            if done {
                return Ok(());
            }
            if wait > LONGEST_PAUSE {
                return Err(Trouble::Later(wait));
            }
            self.pause(wait).await?;
        }
    }

    async fn fetch(&mut self, limit: u64) -> Result<Page, Trouble> {
        let position = page::position(&self.work);
        let (env, mut job) = (self.env.clone(), self.job.clone());
        let page = tokio::select! {
            page = env.discord.messages(&self.scan.channel_id, position, limit) => page,
            signal = job.interrupted() => return Err(interruption(signal)),
        };
        heed(&env, page).await
    }

    /// Waits, unless the job is interrupted.
    async fn pause(&mut self, pause: Duration) -> Result<(), Trouble> {
        let mut job = self.job.clone();
        tokio::select! {
            biased;
            signal = job.interrupted() => Err(interruption(signal)),
            () = self.env.clock.sleep(pause) => Ok(()),
        }
    }

    /// Saves a page; true when it was the last.
    async fn save(&mut self, found: Page, limit: u64, wait: Duration) -> Result<bool, Trouble> {
        let filter = Filter {
            min_seconds: (self.scan.options.min_video_seconds).or(self.settings.min_video_seconds),
        };
        let (mut clips, mut new_clips) = (Vec::new(), Vec::new());
        for message in &found.messages {
            let (guild, channel) = (&self.scan.guild_id, &self.scan.channel_id);
            let found = find_clips(guild, channel, message, &filter);
            if page::is_new(&self.work, message.id) {
                new_clips.extend(found.iter().cloned());
            }
            clips.extend(found);
        }
        let before = self.work.listed;
        let mut work = self.work.clone();
        let mut channel = self.channel.clone();
        if limit > 0 {
            channel.cover(&page::covered(&work, &found, limit));
        }
        page::advance(&mut work, &found);
        work.clips += new_clips.len() as u64;
        work.done = (found.length as u64) < limit
            || limit == 0
            || self.most.is_some_and(|most| work.listed >= most);
        let done = work.done;

        let now = self.env.clock.now_ms();
        let progress = self.progress(&work, &found, done, now);
        channel.total_messages_scanned += work.listed - before;
        channel.next_page_at = now + wait.as_millis() as i64;
        channel.set_work(self.job.attempt.id.as_str(), work.clone());
        let mut pipeline = Pipeline::new();
        if self.pages == 0 {
            self.reporter
                .add_status(&self.env, &mut pipeline, ScanStatus::Running, json!({}));
        }
        self.reporter
            .add_clips(&self.env, &mut pipeline, &new_clips);
        self.add_unreadable(&mut pipeline, &found);
        let progress = self
            .reporter
            .add_progress(&self.env, &mut pipeline, &progress);
        if done {
            let detail = json!({ "messagesScanned": work.listed, "clipsFound": work.clips });
            self.reporter
                .add_status(&self.env, &mut pipeline, ScanStatus::Succeeded, detail);
            self.reporter
                .add_count(&self.env, &mut pipeline, work.clips);
        }
        let status = if done {
            ScanStatus::Succeeded
        } else {
            ScanStatus::Running
        };
        self.write(channel, status, None, &clips, Some(&progress), pipeline)
            .await?;
        self.work = work;
        self.pages += 1;
        Ok(done)
    }

    fn add_unreadable(&mut self, pipeline: &mut Pipeline, found: &Page) {
        let ids = page::unreadable(&self.work, found);
        if ids.is_empty() {
            return;
        }
        let data = json!({ "message": "messages could not be read", "messageIds": ids });
        self.reporter.add_log(&self.env, pipeline, data);
    }

    fn progress(&self, work: &Work, found: &Page, done: bool, now: i64) -> ScanProgress {
        let newest = self.newest.map_or(now, MessageId::created_ms);
        let by_time = found.range.map_or(0.0, |(low, high)| match work.after {
            Some(_) => share(self.from.created_ms(), newest, high.created_ms()),
            None => share(newest, self.oldest.created_ms(), low.created_ms()),
        });
        let by_count = self
            .most
            .map_or(0.0, |most| work.listed as f64 / most.max(1) as f64);
        let part = if done {
            1.0
        } else {
            by_time.max(by_count).clamp(0.0, 0.99)
        };
        ScanProgress {
            current: work.listed,
            total: self.most,
            percent: (part * 1000.0).round() / 10.0,
            clips_found: work.clips,
            updated_at: now,
        }
    }

    /// Saves the record with `status`, and what else is in the pipeline.
    async fn write(
        &mut self,
        mut channel: Channel,
        status: ScanStatus,
        error: Option<&str>,
        clips: &[Clip],
        progress: Option<&HashField>,
        mut pipeline: Pipeline,
    ) -> Result<(), Trouble> {
        let now = self.env.clock.now_ms();
        let running = status == ScanStatus::Running;
        let finished = !running && status != ScanStatus::Pending;
        channel.revision += 1;
        (channel.status, channel.updated_at) = (Some(status), now);
        channel.error_message = error.map(str::to_owned);
        channel.owner = Some(match running {
            true => owner(&self.job.attempt, now),
            false => former_owner(&self.job.attempt),
        });
        if finished && status != ScanStatus::Succeeded {
            channel.works.remove(self.job.attempt.id.as_str());
        }
        let (guild, id) = (&self.scan.guild_id, &self.scan.channel_id);
        let slot =
            self.env
                .store
                .add_page(&mut pipeline, guild, id, Some(&channel), clips, progress);
        let mut replies = pipeline.send(&*self.env.redis).await?;
        match self.env.store.read_page(&mut replies, slot)? {
            Saved::Yes | Saved::Duplicate => {
                self.channel = channel;
                Ok(())
            }
            Saved::Lost => Err(Trouble::Superseded),
        }
    }

    /// Lets go of the channel and tells why.
    async fn give_up(&mut self, trouble: Trouble) -> Outcome {
        // A scan that has got on is not failed by a passing fault of Discord's.
        let trouble = match trouble {
            Trouble::Again(_) if self.pages > 0 => Trouble::Later(with_jitter(AFTER_TROUBLE)),
            other => other,
        };
        let last = self.job.is_last_attempt();
        let now = self.env.clock.now_ms();
        let (status, detail) = match &trouble {
            Trouble::Superseded => return trouble.outcome(),
            Trouble::Later(wait) if wait.is_zero() => (ScanStatus::Pending, json!({})),
            Trouble::Later(wait) => {
                let at = now + wait.as_millis() as i64;
                (ScanStatus::Pending, json!({ "waitingUntil": at }))
            }
            Trouble::Again(reason) if !last => (ScanStatus::Pending, json!({ "error": reason })),
            Trouble::Again(reason) | Trouble::Never(reason) => {
                (ScanStatus::Failed, json!({ "error": reason }))
            }
            Trouble::Unwanted(reason) => (ScanStatus::Cancelled, json!({ "error": reason })),
            Trouble::Cancelled => (ScanStatus::Cancelled, json!({})),
        };
        let mut channel = self.channel.clone();
        if let Trouble::Later(wait) = &trouble {
            channel.next_page_at = channel.next_page_at.max(now + wait.as_millis() as i64);
        }
        channel.set_work(self.job.attempt.id.as_str(), self.work.clone());
        let error = detail["error"].as_str().map(str::to_owned);
        let mut pipeline = Pipeline::new();
        self.reporter
            .add_status(&self.env, &mut pipeline, status, detail);
        if let Err(failed) = self
            .write(channel, status, error.as_deref(), &[], None, pipeline)
            .await
        {
            tracing::warn!(job_id = %self.job.attempt.id, ?failed, "the channel was not let go of");
        }
        trouble.outcome()
    }
}

fn interruption(signal: Signal) -> Trouble {
    match signal {
        Signal::Cancel => Trouble::Cancelled,
        Signal::HandBack | Signal::GoOn => Trouble::Later(Duration::ZERO),
    }
}

/// How much of the way from one time to another is done at a third.
fn share(from: i64, to: i64, at: i64) -> f64 {
    if to == from {
        0.0
    } else {
        (at - from) as f64 / (to - from) as f64
    }
}
