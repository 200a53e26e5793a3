//! Saves a page of a scan and everything that follows from it.

use std::time::Duration;

use serde_json::json;
use shared::counters::CLIPS;
use shared::discord::{MessageId, Page, Position};
use shared::redis::{HashField, Pipeline};
use shared::scan::{
    Channel, Clip, Filter, Pace, PageSave, Saved, SavedPage, ScanProgress, ScanStatus, Stretch,
    Work, find_clips,
};

use super::ownership::{former_owner, owner};
use super::{Run, page};
use crate::jobs::reporter::FOUND;
use crate::jobs::stop::StopReason;
use crate::jobs::watch;

/// A page as it was read.
pub struct PageParts {
    pub found: Page,
    /// Number of messages requested.
    pub limit: u64,
    /// Whether there is nothing after it.
    pub last: bool,
    /// When it was requested, in Unix milliseconds.
    pub asked_ms: i64,
    /// Delay before the next page.
    pub wait: Duration,
}

/// What is written to a channel's record, together with a page if there is one.
pub struct RecordWrite<'a> {
    pub channel: Channel,
    pub status: ScanStatus,
    /// Why the scan failed.
    pub error: Option<String>,
    /// Clips found on the page.
    pub clips: &'a [Clip],
    /// The range that was read. Rows in it without a clip on the page are removed.
    pub stretch: Option<Stretch>,
    /// Whether a part of the range may have been read before.
    pub may_have_rows: bool,
    /// Messages that exist but could not be read. Their rows are kept.
    pub unreadable: Vec<MessageId>,
    /// The job's progress; `None` if no page is saved.
    pub progress: Option<HashField>,
}

impl RecordWrite<'_> {
    /// Writes the record without a page.
    pub fn new(channel: Channel, status: ScanStatus) -> RecordWrite<'static> {
        RecordWrite {
            channel,
            status,
            error: None,
            clips: &[],
            stretch: None,
            may_have_rows: false,
            unreadable: Vec::new(),
            progress: None,
        }
    }
}

impl Run {
    /// Saves a page and returns the fields of [`watch::fields`].
    pub async fn save(&mut self, parts: PageParts) -> Result<Vec<String>, StopReason> {
        let PageParts {
            found,
            limit,
            asked_ms,
            wait,
            ..
        } = parts;
        let found = page::trimmed(found, &self.work, self.most);
        let clips = self.clips_of(&found);
        let whole = found.length;
        let (found, clips) = page::fitting(found, &self.work, clips);
        let last = parts.last && found.length == whole;
        let before = self.work.listed;
        let mut work = self.work.clone();
        let mut channel = self.channel.clone();
        let mut stretch = None;
        let mut may_have_rows = false;
        if limit > 0 {
            let read = page::Read {
                page: &found,
                is_last: last,
                asked_ms,
            };
            let covered = read.covered(&work);
            stretch = read.stretch(&work, &covered);
            // Computed before the cursors move; afterwards every range would count as
            // read.
            may_have_rows =
                stretch.is_some_and(|stretch| channel.knows_of(stretch.low, stretch.high));
            if !channel.cover(&covered) {
                channel.strays = true;
            }
        }
        page::advance(&mut work, &found);
        let is_enough = limit == 0 || self.most.is_some_and(|most| work.listed >= most);
        work.done = last || is_enough;
        if !is_enough && work.done && self.goes_down(&channel, &mut work) {
            work.done = false;
        }
        work.reached_start = channel.reached_start(last);

        let now = self.clients.clock.now_ms();
        channel.total_messages_scanned += work.listed - before;
        channel.next_page_at = now + wait.as_millis() as i64;
        channel.set_work(self.job.attempt.id.as_str(), work.clone());
        let status = match work.done {
            true => ScanStatus::Succeeded,
            false => ScanStatus::Running,
        };
        let write = RecordWrite {
            clips: &clips,
            stretch,
            may_have_rows,
            unreadable: page::doubtful(&found).flatten().collect(),
            progress: Some(self.add_events(&work, &found, now)),
            ..RecordWrite::new(channel, status)
        };
        let saved = self.write(write).await?;
        self.work = Work {
            clips: saved.found,
            ..work
        };
        self.pages += 1;
        self.requests = 0;
        Ok(saved.watched)
    }

    fn clips_of(&self, found: &Page) -> Vec<Vec<Clip>> {
        let filter = Filter {
            min_seconds: (self.scan.options.min_video_seconds).or(self.settings.min_video_seconds),
        };
        let (guild, channel) = (&self.scan.guild_id, &self.scan.channel_id);
        let messages = found.messages.iter();
        messages
            .map(|message| find_clips(guild, channel, message, &filter))
            .collect()
    }

    /// Makes a forward scan that has read all newer messages continue with those older
    /// than the oldest message read.
    fn goes_down(&self, channel: &Channel, work: &mut Work) -> bool {
        let is_up = matches!(page::position(work), Position::After(_));
        let oldest = channel.backward_message_id;
        if !is_up || !self.scan.goes_to_start() || channel.backfill_done || oldest.is_none() {
            return false;
        }
        (work.before, work.after, work.seen) = (oldest, None, None);
        true
    }

    /// Adds the events of a page and returns the job's new progress.
    fn add_events(&mut self, work: &Work, found: &Page, now: i64) -> HashField {
        let clients = self.clients.clone();
        if self.pages == 0 {
            self.reporter
                .add_status(&clients, ScanStatus::Running, json!({}));
        }
        self.reporter.add_clips(&clients);
        let ids = page::unreadable(&self.work, found);
        if !ids.is_empty() {
            let data = json!({ "message": "some messages could not be read", "messageIds": ids });
            self.reporter.add_log(&clients, &data);
        }
        let progress = self.progress(work, found, now);
        let progress = self.reporter.add_progress(&clients, &progress);
        if work.done {
            let detail = json!({
                "messagesScanned": work.listed,
                "clipsFound": FOUND,
                "reachedStart": work.reached_start,
            });
            self.reporter
                .add_status(&clients, ScanStatus::Succeeded, detail);
        }
        progress
    }

    fn progress(&self, work: &Work, found: &Page, now: i64) -> ScanProgress {
        let newest = self.newest.map_or(now, MessageId::created_ms);
        let by_time = found.range.map_or(0.0, |(low, high)| match work.after {
            Some(_) => share(self.from.created_ms(), newest, high.created_ms()),
            None => share(newest, self.oldest.created_ms(), low.created_ms()),
        });
        let by_count = self
            .most
            .map_or(0.0, |most| work.listed as f64 / most.max(1) as f64);
        let part = match work.done {
            true => 1.0,
            false => by_time.max(by_count).clamp(0.0, 0.99),
        };
        ScanProgress {
            current: work.listed,
            total: self.most,
            percent: Some((part * 100.0) as u8),
            clips_found: work.clips,
            reached_start: Some(work.reached_start),
            updated_at: now,
        }
    }

    /// Saves the record together with the page, if any, and with the events not sent yet.
    pub async fn write(&mut self, write: RecordWrite<'_>) -> Result<SavedPage, StopReason> {
        let (mut channel, status) = (write.channel, write.status);
        let now = self.clients.clock.now_ms();
        let running = status == ScanStatus::Running;
        let finished = !running && status != ScanStatus::Pending;
        channel.revision += 1;
        (channel.status, channel.updated_at) = (Some(status), now);
        channel.error_message = write.error;
        channel.owner = Some(match running {
            true => owner(&self.job.attempt, now),
            false => former_owner(&self.job.attempt),
        });
        if finished && status != ScanStatus::Succeeded {
            channel.works.remove(self.job.attempt.id.as_str());
        }
        let events = self.reporter.take();
        let is_page = write.progress.is_some();
        let page = PageSave {
            guild_id: &self.scan.guild_id,
            channel_id: &self.scan.channel_id,
            job_id: self.job.attempt.id.as_str(),
            record: Some(&channel),
            clips: write.clips,
            stretches: write.stretch.as_slice(),
            may_have_rows: write.may_have_rows,
            unreadable: &write.unreadable,
            progress: write.progress,
            watch: match is_page {
                true => watch::fields(&self.clients, &self.job),
                false => Vec::new(),
            },
            pace: watch::pace(&self.clients, self.requests, now).filter(|_: &Pace<'_>| is_page),
            events: &events,
            count: (!running).then(|| self.clients.counters.places(CLIPS)),
            ..PageSave::default()
        };
        let mut pipeline = Pipeline::new();
        let slot = self.clients.store.add_page(&mut pipeline, &page);
        let mut replies = pipeline.send(&*self.clients.redis).await?;
        let saved = replies.take(slot)?;
        match saved.saved {
            Saved::Yes | Saved::Duplicate => {
                self.channel = channel;
                Ok(saved)
            }
            Saved::Superseded => Err(StopReason::Superseded),
        }
    }
}

/// Where `at` lies between `from` and `to`, as a fraction.
fn share(from: i64, to: i64, at: i64) -> f64 {
    if to == from {
        0.0
    } else {
        (at - from) as f64 / (to - from) as f64
    }
}
