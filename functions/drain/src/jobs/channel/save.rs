//! Saves pages of a scan and everything that follows from them.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use shared::counters::CLIPS;
use shared::discord::{MessageId, Page, Position};
use shared::jobs::ChannelScan;
use shared::redis::{HashField, Pipeline};
use shared::scan::{
    Channel, ClipRecord, Filter, Pace, PageSave, Place, ROWS_AT_ONCE, Saved, SavedPage,
    ScanProgress, ScanStatus, Stretch, Work, find_clips,
};

use super::ahead::Ahead;
use super::ownership::{former_owner, owner};
use super::{Run, page};
use crate::jobs::probe::are_settled;
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

/// What is written to a channel's record, together with pages if there are any.
pub struct RecordWrite<'a> {
    pub channel: Channel,
    pub status: ScanStatus,
    /// Why the scan failed.
    pub error: Option<String>,
    /// Clips found on the pages.
    pub clips: &'a [ClipRecord],
    /// The ranges that were read, and the rows in them that are gone.
    pub stretches: &'a [Stretch],
    pub stale: &'a [String],
    /// Whether a part of the ranges may have been read before.
    pub may_have_rows: bool,
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
            stretches: &[],
            stale: &[],
            may_have_rows: false,
            progress: None,
        }
    }
}

impl Run {
    /// Adds a page to those that are saved next. Saves those before it if they do not fit
    /// into one call.
    pub async fn add(&mut self, parts: PageParts) -> Result<(), StopReason> {
        let end = page::end(&self.scan, self.work());
        let (found, reached_end) = page::within(parts.found, self.work(), end);
        let found = page::trimmed(found, self.work(), self.most);
        let clips = self.clips_of(&found);
        let whole = found.length;
        let (found, clips) = page::fitting(found, self.work(), clips);
        let is_whole = found.length == whole;
        let last = (parts.last || reached_end) && is_whole;
        if self
            .ahead
            .as_ref()
            .is_some_and(|ahead| !ahead.has_room(clips.len()))
        {
            self.flush().await?;
        }
        self.add_page_events(&found);
        let mut ahead = match self.ahead.take() {
            Some(ahead) => ahead,
            None => Ahead::new(self.channel.clone(), self.work.clone()),
        };
        if parts.limit > 0 {
            let read = page::Read {
                page: &found,
                is_last: last,
                end: end.filter(|_| reached_end && is_whole),
                asked_ms: parts.asked_ms,
            };
            let covered = read.covered(&ahead.work);
            let stretch = read.stretch(&ahead.work, &covered);
            ahead.cover(&covered, stretch);
        }
        ahead.advance(&found, clips);
        let work = &mut ahead.work;
        let is_enough = parts.limit == 0 || self.most.is_some_and(|most| work.listed >= most);
        work.done = last || is_enough;
        if !is_enough && work.done && goes_down(&self.scan, &ahead.channel, work) {
            work.done = false;
        }
        work.reached_start = ahead.channel.reached_start(last && !reached_end);
        let now = self.clients.clock.now_ms();
        ahead.channel.next_page_at = now + parts.wait.as_millis() as i64;
        self.ahead = Some(ahead);
        self.pages += 1;
        Ok(())
    }

    /// Saves the pages that are not saved yet. Returns the fields of [`watch::fields`].
    pub async fn flush(&mut self) -> Result<Vec<String>, StopReason> {
        let Some(mut ahead) = self.ahead.take() else {
            return Ok(Vec::new());
        };
        let mut known = HashSet::new();
        let stale = self.stale(&mut ahead, &mut known).await?;
        let (clients, guild_id) = (&self.clients, &self.scan.guild_id);
        // A forward scan reads a few messages again, mostly without a new clip.
        if self.work.seen.is_none() || !are_settled(clients, &ahead.clips, &known).await? {
            self.probes.make(clients, guild_id, &ahead.clips).await?;
        }
        let now = self.clients.clock.now_ms();
        let work = ahead.work.clone();
        let mut channel = ahead.channel.clone();
        // Rows that are gone may have been removed before, which changed the record.
        channel.revision = self.channel.revision;
        channel.set_work(self.job.attempt.id.as_str(), work.clone());
        let status = match work.done {
            true => ScanStatus::Succeeded,
            false => ScanStatus::Running,
        };
        let write = RecordWrite {
            clips: &ahead.clips,
            stretches: &ahead.stretches,
            stale: &stale,
            may_have_rows: ahead.may_have_rows,
            progress: Some(self.add_last_events(&ahead, now)),
            ..RecordWrite::new(channel, status)
        };
        let saved = self.write(write).await?;
        self.work = Work {
            clips: saved.found,
            ..work
        };
        self.requests = 0;
        Ok(saved.watched)
    }

    /// The rows of the pages' ranges that are gone. Adds all rows there to `known`. If they are more than one call removes,
    /// the first ones are removed here. That comes before the cursors say that the ranges
    /// were read again, so that a crash in between loses no removal.
    async fn stale(
        &mut self,
        ahead: &mut Ahead,
        known: &mut HashSet<String>,
    ) -> Result<Vec<String>, StopReason> {
        let mut stale = Vec::new();
        if !ahead.may_have_rows && !self.channel.strays {
            return Ok(stale);
        }
        ahead.may_have_rows = true;
        for mut stretch in ahead.stretches.clone() {
            loop {
                let (guild, channel) = (&self.scan.guild_id, &self.scan.channel_id);
                let store = &self.clients.store;
                let rows = store.rows_in(guild, channel, stretch).await?;
                let last = rows.last().filter(|_| rows.len() == ROWS_AT_ONCE);
                let message = last.and_then(|row| {
                    MessageId::parse(row.split(':').nth(1)?.trim_start_matches('0'))
                });
                known.extend(rows.iter().cloned());
                stale.extend(ahead.stale(rows));
                let Some(message) = message.filter(|message| *message < stretch.high) else {
                    break;
                };
                if stale.len() >= ROWS_AT_ONCE / 2 {
                    let part = Stretch {
                        high: message,
                        ..stretch
                    };
                    self.remove(part, &stale).await?;
                    stale.clear();
                }
                // The rows of this message may be on both sides of the cut.
                stretch.low = message;
                if stretch.low == stretch.high {
                    break;
                }
            }
        }
        stale.sort_unstable();
        stale.dedup();
        Ok(stale)
    }

    /// Removes rows that are gone, without saving a page.
    async fn remove(&mut self, stretch: Stretch, stale: &[String]) -> Result<(), StopReason> {
        let clients = self.clients.clone();
        self.reporter.add_removed(&clients);
        let write = RecordWrite {
            stretches: &[stretch],
            stale,
            may_have_rows: true,
            ..RecordWrite::new(self.channel.clone(), ScanStatus::Running)
        };
        self.write(write).await.map(|_| ())
    }

    fn clips_of(&self, found: &Page) -> Vec<Vec<ClipRecord>> {
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
        let messages = found.messages.iter();
        let clips = messages.map(|message| find_clips(place, message, &filter));
        clips
            .map(|clips| {
                let records = clips
                    .into_iter()
                    .map(|clip| ClipRecord::new(clip, min_seconds));
                records.collect()
            })
            .collect()
    }

    /// Adds the events of a page that need not wait until it is saved together with others.
    fn add_page_events(&mut self, found: &Page) {
        let clients = self.clients.clone();
        if self.pages == 0 {
            self.reporter
                .add_status(&clients, ScanStatus::Running, json!({}));
        }
        let ids = page::unreadable(self.work(), found);
        if !ids.is_empty() {
            let data = json!({ "message": "some messages could not be read", "messageIds": ids });
            self.reporter.add_log(&clients, &data);
        }
    }

    /// Adds the events that all pages have in common, and returns the job's new progress.
    fn add_last_events(&mut self, ahead: &Ahead, now: i64) -> HashField {
        let clients = self.clients.clone();
        self.reporter.add_removed(&clients);
        self.reporter.add_clips(&clients);
        let work = &ahead.work;
        let progress = self.progress(work, ahead.range, now);
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

    fn progress(
        &self,
        work: &Work,
        range: Option<(MessageId, MessageId)>,
        now: i64,
    ) -> ScanProgress {
        let newest = self.newest.map_or(now, MessageId::created_ms);
        let by_time = range.map_or(0.0, |(low, high)| match work.after {
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
        let events = self.reporter.take(&self.clients);
        let is_page = write.progress.is_some();
        let page = PageSave {
            guild_id: &self.scan.guild_id,
            channel_id: &self.scan.channel_id,
            job_id: self.job.attempt.id.as_str(),
            record: Some(&channel),
            clips: write.clips,
            stretches: write.stretches,
            stale: write.stale,
            may_have_rows: write.may_have_rows,
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

/// Makes a forward scan that has read all newer messages continue with those older than
/// the oldest message read.
fn goes_down(scan: &ChannelScan, channel: &Channel, work: &mut Work) -> bool {
    let is_up = matches!(page::position(work), Position::After(_));
    let oldest = channel.backward_message_id;
    if !is_up || !scan.goes_to_start() || channel.backfill_done || oldest.is_none() {
        return false;
    }
    (work.before, work.after, work.seen) = (oldest, None, None);
    true
}

/// Where `at` lies between `from` and `to`, as a fraction.
fn share(from: i64, to: i64, at: i64) -> f64 {
    if to == from {
        0.0
    } else {
        (at - from) as f64 / (to - from) as f64
    }
}
