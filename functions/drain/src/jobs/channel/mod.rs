//! The job kinds `scan` and `batch`: they read a range of a channel page by page. One
//! script saves each page together with its clips, its counts and the job's position.
//!
//! | file | contents |
//! |---|---|
//! | `mod` | the run: from page to page, and how it stops |
//! | `ownership` | which attempt may write the channel's record |
//! | `page` | where a page starts and what it covers; without I/O |
//! | `ahead` | pages that were read and are not saved yet; without I/O |
//! | `save` | saves pages and everything that follows from them |
//! | `threads` | what follows a scan that includes the channel's threads |
//!
//! Running a job twice is harmless. The channel's record has one owner, a page that has
//! been saved is not saved again, and a restarted job continues after its last saved
//! page.

mod ahead;
mod ownership;
pub mod page;
mod save;
mod threads;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shared::discord::{ChannelType, MessageId, Page};
use shared::jobs::ChannelScan;
use shared::queue::{ActiveJob, JobError, Outcome};
use shared::redis::Pipeline;
use shared::scan::{Channel, GuildSettings, PauseReason, ScanStatus, Work};

use super::probe::Requests;
use super::reporter::{Reporter, failure};
use super::stop::{OutageWait, StopReason, UNREACHABLE, checked, with_jitter};
use super::watch::{self, unless_stopped};
use super::{arguments, checks};
use crate::Clients;

pub use ownership::ended;

use ahead::{Ahead, PAGES_AT_ONCE};
use ownership::{LONGEST_PAUSE, ToDo};
use save::{PageParts, RecordWrite};

/// How long a scan that has made progress waits after a fault of Discord before it
/// retries.
const AFTER_FAULT: Duration = Duration::from_secs(5);

/// A page that is followed by a longer wait is saved at once, so that nobody waits to see
/// it.
const SAVE_BEFORE: Duration = Duration::from_secs(2);

/// Pages per run. A longer scan goes back into the queue, so that a channel with a
/// million messages does not delay other scans.
const PAGES: u64 = 100;

pub async fn run(clients: Arc<Clients>, job: ActiveJob) -> Outcome {
    let scan: ChannelScan = match arguments(&job) {
        Ok(scan) => scan,
        Err(outcome) => return outcome,
    };
    let waiting = OutageWait::of(&job);
    let (channel, policy) = match ownership::request(&clients, &scan, &job).await {
        Ok(ToDo::Scan(channel, policy)) => (*channel, policy),
        Ok(ToDo::Nothing(work)) => {
            if !threads::are_wanted(&scan) {
                return done(&work);
            }
            return match threads::request(&clients, &scan, &job).await {
                Ok(()) => done(&work),
                Err(stop) => stop.outcome(),
            };
        }
        Err(stop) => return not_owned(&clients, &job, waiting, stop).await,
    };
    let work = channel.works.get(job.attempt.id.as_str()).cloned();
    let mut run = Run {
        reporter: Reporter::new(job.attempt.clone()),
        work: work.unwrap_or_else(|| page::begin(&scan, &channel)),
        ahead: None,
        parent_id: None,
        most: scan.most(),
        threads_wanted: threads::are_wanted(&scan),
        oldest: MessageId(0),
        newest: None,
        from: MessageId(0),
        pages: 0,
        requests: 0,
        content_checked: false,
        probes: Requests::default(),
        was_unreachable: policy.breaker.is_away(),
        waiting,
        clients,
        scan,
        settings: policy.settings,
        job,
        channel,
    };
    match run.pages().await {
        // The last page is saved. If this fails, the next attempt has nothing else to do.
        Ok(()) => run.and_threads(done(&run.work)).await,
        Err(stop) => match run.give_up(stop).await {
            done @ Outcome::Done(_) => run.and_threads(done).await,
            other => other,
        },
    }
}

fn done(work: &Work) -> Outcome {
    Outcome::Done(json!({
        "messagesScanned": work.listed,
        "clipsFound": work.clips,
        "unreadableMessages": work.unreadable,
        "reachedStart": work.reached_start,
    }))
}

/// Another job owns the channel, or requests to Discord are paused.
async fn not_owned(
    clients: &Clients,
    job: &ActiveJob,
    mut waiting: OutageWait,
    stop: StopReason,
) -> Outcome {
    let StopReason::Unreachable(outage) = stop else {
        waiting.note(&stop);
        waiting.remember(job);
        return stop.outcome();
    };
    let stop = waiting.next(clients.clock.now_ms(), outage, false);
    waiting.note(&stop);
    waiting.remember(job);
    if let StopReason::Fail(reason) = &stop {
        let mut reporter = Reporter::new(job.attempt.clone());
        reporter.add_status(clients, ScanStatus::Failed, failure(reason));
        let mut pipeline = Pipeline::new();
        reporter.add_to(clients, &mut pipeline);
        if let Err(error) = pipeline.send(&*clients.redis).await {
            let error = shared::telemetry::chain(&error);
            tracing::warn!(job_id = %job.attempt.id, error, "an event could not be sent");
        }
    }
    stop.outcome()
}

/// One attempt at a scan.
pub struct Run {
    pub clients: Arc<Clients>,
    pub scan: ChannelScan,
    /// The guild's settings when this attempt started.
    pub settings: GuildSettings,
    pub job: ActiveJob,
    /// The record as last saved. This attempt owns it.
    pub channel: Channel,
    /// The position as last saved.
    pub work: Work,
    /// What was read since.
    pub ahead: Option<Ahead>,
    /// The channel that a thread is in.
    pub parent_id: Option<String>,
    pub reporter: Reporter,
    /// Maximum number of messages to list.
    pub most: Option<u64>,
    /// Whether the scan of the channel's threads follows.
    threads_wanted: bool,
    /// Oldest message of the channel, for the percentage.
    pub oldest: MessageId,
    pub newest: Option<MessageId>,
    /// Where a forward scan started, for the percentage.
    pub from: MessageId,
    /// Pages read by this attempt.
    pub pages: u64,
    /// Requests to Discord since the last page was saved.
    pub requests: u64,
    content_checked: bool,
    /// Requests for looks into the clips that it saves.
    pub probes: Requests,
    /// Whether the last request found Discord unreachable.
    was_unreachable: bool,
    waiting: OutageWait,
}

impl Run {
    async fn pages(&mut self) -> Result<(), StopReason> {
        self.pause(Duration::from_millis(
            u64::try_from(self.channel.next_page_at - self.clients.clock.now_ms()).unwrap_or(0),
        ))
        .await?;
        let (guild, id) = (&self.scan.guild_id, &self.scan.channel_id);
        self.requests += 1;
        let channel = checks::channel(&self.clients, &self.settings, guild, id).await?;
        let has_threads_only = channel.kind() == ChannelType::ThreadsOnly;
        match has_threads_only && (self.scan.scheduled || threads::are_wanted(&self.scan)) {
            // No page is read, and the scan of the threads follows.
            true => (self.most, self.threads_wanted) = (Some(0), true),
            false => checks::has_messages(&channel)?,
        }
        let is_thread = channel.is_thread();
        (self.oldest, self.newest) = (channel.id, channel.last_message_id);
        self.from = self.work.after.unwrap_or(channel.id);
        self.parent_id = channel.parent_id.filter(|_| is_thread);
        self.channel.parent_id.clone_from(&self.parent_id);
        self.channel.channel_name = channel.name;
        loop {
            let limit = page::limit(self.work(), self.most);
            let asked_ms = self.clients.clock.now_ms();
            let found = match limit {
                0 => Page::default(),
                _ => self.fetch(limit).await?,
            };
            // Discord fills a page if there are more messages, so a short page is the
            // last one.
            let last = (found.length as u64) < limit;
            // An empty page means either the end of the channel or a missing permission.
            if limit > 0 && found.length == 0 {
                let (id, position) = (&self.scan.channel_id, page::position(self.work()));
                checks::history(&self.clients, id, self.newest, position).await?;
            }
            checks::content(&self.clients, &found, &mut self.content_checked).await?;
            let wait = found.wait.max(self.clients.page_interval);
            let parts = PageParts {
                found,
                limit,
                last,
                asked_ms,
                wait,
            };
            self.add(parts).await?;
            let mut wait = wait;
            let is_full = self
                .ahead
                .as_ref()
                .is_some_and(|ahead| ahead.pages >= PAGES_AT_ONCE);
            if is_full || self.work().done || self.pages >= PAGES || wait >= SAVE_BEFORE {
                let saved = self.flush().await?;
                self.came_back().await?;
                if self.work.done {
                    return Ok(());
                }
                // Stop if the job was cancelled, or if any job learned that Discord must
                // not be called.
                watch::check_stop(&self.clients, &saved)?;
                wait = wait.max(watch::pace_wait(&saved, self.clients.clock.now_ms()));
            }
            if self.pages >= PAGES {
                return Err(StopReason::Later(Duration::ZERO));
            }
            if wait > LONGEST_PAUSE {
                return Err(StopReason::Later(wait));
            }
            self.pause(wait).await?;
        }
    }

    /// The position after everything that was read.
    pub fn work(&self) -> &Work {
        self.ahead.as_ref().map_or(&self.work, |ahead| &ahead.work)
    }

    async fn fetch(&mut self, limit: u64) -> Result<Page, StopReason> {
        self.check_process()?;
        self.requests += 1;
        let position = page::position(self.work());
        let clients = self.clients.clone();
        let page = unless_stopped(
            &clients,
            &self.job,
            clients
                .discord
                .messages(&self.scan.channel_id, position, limit),
        )
        .await?;
        checked(&clients, page).await
    }

    /// Waits, unless the job is interrupted.
    async fn pause(&mut self, pause: Duration) -> Result<(), StopReason> {
        unless_stopped(&self.clients, &self.job, self.clients.clock.sleep(pause)).await
    }

    /// Stops if a job of this process has learned in the meantime that Discord must not
    /// be called. This check is free and saves a request that would be refused.
    fn check_process(&self) -> Result<(), StopReason> {
        let now = self.clients.clock.now_ms();
        match self.clients.paused_until(now) {
            Some(until) => Err(watch::later(until, now)),
            None => Ok(()),
        }
    }

    /// A page was saved, so Discord is reachable again, for this job and all others.
    async fn came_back(&mut self) -> Result<(), StopReason> {
        self.waiting = OutageWait::default();
        self.waiting.remember(&self.job);
        if std::mem::take(&mut self.was_unreachable) {
            let (store, board) = (&self.clients.store, &self.clients.board);
            store.resume_discord(Some(PauseReason::Away), board).await?;
        }
        Ok(())
    }

    /// The outcome of a scan that is done, once its threads are requested.
    async fn and_threads(&self, outcome: Outcome) -> Outcome {
        if !self.threads_wanted {
            return outcome;
        }
        match threads::request(&self.clients, &self.scan, &self.job).await {
            Ok(()) => outcome,
            Err(stop) => stop.outcome(),
        }
    }

    /// Releases the channel and reports the reason.
    async fn give_up(&mut self, stop: StopReason) -> Outcome {
        if !matches!(stop, StopReason::Superseded)
            && let Err(StopReason::Superseded) = self.flush().await
        {
            return StopReason::Superseded.outcome();
        }
        if self.work.done {
            return done(&self.work);
        }
        let now = self.clients.clock.now_ms();
        let is_outage = matches!(stop, StopReason::Unreachable(_));
        let stop = match stop {
            // A scan that has made progress does not fail because of a temporary fault of
            // Discord.
            StopReason::Retry(_) if self.pages > 0 => StopReason::Later(with_jitter(AFTER_FAULT)),
            StopReason::Unreachable(outage) => self.waiting.next(now, outage, true),
            other => other,
        };
        self.waiting.note(&stop);
        self.waiting.remember(&self.job);
        let last = self.job.is_last_attempt();
        let (status, detail) = match &stop {
            StopReason::Superseded | StopReason::Busy(_) => return stop.outcome(),
            StopReason::Later(wait) if wait.is_zero() => (ScanStatus::Pending, json!({})),
            StopReason::Later(wait) => {
                let at = now + wait.as_millis() as i64;
                let mut detail = match is_outage {
                    true => failure(&JobError::reason(UNREACHABLE, "Discord cannot be reached")),
                    false => failure(&JobError::reason(
                        "discord_limited",
                        "Discord asked for a wait",
                    )),
                };
                detail["runAt"] = at.into();
                (ScanStatus::Pending, detail)
            }
            StopReason::Unreachable(outage) => {
                (ScanStatus::Pending, json!({ "runAt": outage.until }))
            }
            StopReason::Retry(reason) if !last => (ScanStatus::Pending, failure(reason)),
            StopReason::Retry(reason) | StopReason::Fail(reason) => {
                (ScanStatus::Failed, failure(reason))
            }
            StopReason::Unwanted(reason) => (ScanStatus::Cancelled, failure(reason)),
            StopReason::Cancelled => (ScanStatus::Cancelled, json!({})),
        };
        let mut channel = self.channel.clone();
        // Once Discord is back, this channel need not wait longer than others.
        if let (StopReason::Later(wait), false) = (&stop, is_outage) {
            channel.next_page_at = channel.next_page_at.max(now + wait.as_millis() as i64);
        }
        channel.set_work(self.job.attempt.id.as_str(), self.work.clone());
        let error = match &stop {
            StopReason::Retry(reason) | StopReason::Fail(reason) | StopReason::Unwanted(reason) => {
                Some(reason.clone())
            }
            _ => None,
        };
        self.reporter.add_status(&self.clients, status, detail);
        let write = RecordWrite {
            error,
            ..RecordWrite::new(channel, status)
        };
        if let Err(failed) = self.write(write).await {
            // The ownership expires on its own, and the next attempt starts at the last
            // page.
            tracing::warn!(job_id = %self.job.attempt.id, ?failed, "the channel could not be released; its ownership will expire");
        }
        stop.outcome()
    }
}
