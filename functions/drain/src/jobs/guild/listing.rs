//! Asks Discord for the channels and threads of a guild, and makes the plan.
//!
//! Lists of archived threads are limited hard. They are asked for only if archived threads
//! are wanted, of each channel at most once in a quarter of an hour, and only as far as the
//! last complete scan of the guild did not get.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use shared::discord::{ArchivedList, Channel, Error, MessageId};
use shared::guild::{ChannelKind, GuildView, SeenChannel};
use shared::queue::JobId;
use shared::scan::{Phase, Planned, ThreadsSeen, Unlisted};

use super::Run;
use super::choice::{choose, is_complete, planned};
use super::news;
use crate::jobs::stop::{OutageWait, StopReason, checked, with_jitter};
use crate::jobs::watch::{discord_paused, unless_stopped};

/// How many channels and threads a guild scan has at most.
const MOST: usize = 10_000;

/// How many archived threads of a list are read at most: ten pages.
const MOST_OF_LIST: usize = 1000;

/// How long a list of archived threads is believed.
const FRESH: Duration = Duration::from_secs(900);

/// A longer pause between two requests is not waited out here.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Run {
    /// Makes a plan of the channels and active threads, and stores it.
    pub(super) async fn list_channels(&mut self) -> Result<(), StopReason> {
        let (clients, guild) = (self.clients.clone(), self.scan.guild_id.clone());
        let policy = clients.store.scan_policy(&guild).await?;
        let now = clients.clock.now_ms();
        let token = clients.discord.token_mark();
        if let Some(until) = policy.breaker.pauses(&token, now) {
            return Err(discord_paused(&policy.breaker, until, now));
        }
        let view = GuildView::load(&clients.discord, &guild);
        let view = match unless_stopped(&clients, &self.job, view).await? {
            Err(Error::NotFound { .. } | Error::Forbidden { .. }) => {
                let message = "the guild does not exist, or the bot is not in it";
                return Err(StopReason::fail("guild_not_found", message));
            }
            answer => checked(&clients, answer).await?,
        };
        self.came_back();
        let chosen = choose(&view, &self.scan, &policy.settings);
        let (mut scanned, mut unlisted) = (chosen.scanned, chosen.unlisted);
        let read = self.unchanged(scanned.iter().map(|c| (c.id, c.last_message_id)));
        let read = read.await?;
        self.plan.head.unchanged = read.len() as u64;
        scanned.retain(|channel| !read.contains(&channel.id));
        if self.scan.scheduled && !unlisted.is_empty() {
            let seen = clients.store.threads_seen(&guild).await?;
            unlisted.retain(|parent| self.may_have_new(&view, &scanned, parent, &seen));
        }
        let head = &mut self.plan.head;
        (head.planned_at, head.unlisted) = (now, unlisted);
        head.phase = Phase::Listing;
        self.plan.channels.extend(chosen.left_out);
        for channel in scanned {
            let planned = planned(
                channel.kind(),
                channel.name.clone(),
                channel.parent_id.clone(),
            );
            self.add(channel.id.to_string(), planned);
        }
        let all: Vec<String> = self.plan.channels.keys().cloned().collect();
        self.save(&all, true).await
    }

    /// Whether a channel may have archived threads that no scan has read. Its scan is among
    /// those planned, or that of a thread in it, or its threads were not listed yet.
    fn may_have_new(
        &self,
        view: &GuildView,
        scanned: &[&SeenChannel],
        parent: &Unlisted,
        seen: &BTreeMap<String, ThreadsSeen>,
    ) -> bool {
        let is_own = |channel: &&SeenChannel| {
            channel.id.to_string() == parent.id
                || channel.kind() == ChannelKind::Thread
                    && channel.parent_id.as_ref() == Some(&parent.id)
        };
        let mut channels = view.channels.iter();
        let channel = channels.find(|channel| channel.id.to_string() == parent.id);
        scanned.iter().any(is_own)
            || channel.is_some_and(|channel| {
                news::has_unlisted(&self.scan, channel, seen.get(&parent.id))
            })
    }

    /// Which of these channels, each with its newest message, have no news. Only a scan that
    /// leaves these out asks.
    async fn unchanged(
        &self,
        channels: impl Iterator<Item = (MessageId, Option<MessageId>)>,
    ) -> Result<BTreeSet<MessageId>, StopReason> {
        if !self.scan.scheduled && self.scan.threads_of.is_none() {
            return Ok(BTreeSet::new());
        }
        let channels: Vec<_> = channels.collect();
        let ids: Vec<String> = channels.iter().map(|(id, _)| id.to_string()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let guild = &self.scan.guild_id;
        let records = self.clients.store.records_of(guild, &ids).await?;
        let read = channels.into_iter().zip(records);
        let now = self.clients.clock.now_ms();
        let read = read.filter(|((_, newest), record)| {
            news::is_unchanged(&self.scan, record.as_ref(), *newest, now)
        });
        Ok(read.map(|((id, _), _)| id).collect())
    }

    /// Adds a channel with a job of its own.
    fn add(&mut self, id: String, planned: Planned) {
        if self.plan.channels.len() >= MOST {
            self.plan.head.too_many += 1;
            return;
        }
        let job = self.job_id(&id).to_string();
        let planned = Planned {
            job: Some(job),
            ..planned
        };
        self.plan.channels.insert(id, planned);
    }

    /// The id of the job for a channel: the same, however often it is asked for.
    pub(super) fn job_id(&self, channel: &str) -> JobId {
        let head = &self.plan.head;
        let origin = format!("{}/{}/{channel}", self.id(), head.round);
        JobId::derived(head.planned_at, &origin)
    }

    /// Adds the archived threads to the plan, channel by channel.
    pub(super) async fn list_threads(&mut self) -> Result<(), StopReason> {
        let mut added = Vec::new();
        if !self.plan.head.unlisted.is_empty() {
            let known = match is_complete(&self.scan) {
                true => self.clients.store.threads_seen(&self.scan.guild_id).await?,
                false => BTreeMap::new(),
            };
            while let Some(channel) = self.plan.head.unlisted.first().cloned() {
                let known = known.get(&channel.id);
                if let Err(stop) = self.list_threads_of(&channel, known, &mut added).await {
                    // What was found is kept; this channel is asked for again.
                    self.save(&added, false).await?;
                    return Err(stop);
                }
                self.plan.head.unlisted.remove(0);
            }
        }
        self.plan.head.phase = Phase::Storing;
        self.save(&added, false).await
    }

    async fn list_threads_of(
        &mut self,
        channel: &Unlisted,
        known: Option<&ThreadsSeen>,
        added: &mut Vec<String>,
    ) -> Result<(), StopReason> {
        let now = self.clients.clock.now_ms();
        if known.is_some_and(|known| now - known.at < FRESH.as_millis() as i64) {
            return Ok(());
        }
        let mut seen = known.cloned().unwrap_or_default();
        seen.at = now;
        for list in &channel.lists {
            let found = self.archived(&channel.id, *list, known).await?;
            if let Some(first) = found.first() {
                seen.note(*list, first);
            }
            let read = self.unchanged(found.iter().map(|t| (t.id, t.last_message_id)));
            let read = read.await?;
            for thread in found {
                if read.contains(&thread.id) {
                    self.plan.head.unchanged += 1;
                    continue;
                }
                let id = thread.id.to_string();
                let is_excluded = self.scan.channels.exclude.contains(&id);
                if is_excluded || self.plan.channels.contains_key(&id) {
                    continue;
                }
                let parent = Some(channel.id.clone());
                self.add(
                    id.clone(),
                    planned(ChannelKind::Thread, thread.name, parent),
                );
                added.push(id);
            }
        }
        self.plan.head.seen.insert(channel.id.clone(), seen);
        Ok(())
    }

    /// The threads of a list that are not known yet.
    async fn archived(
        &mut self,
        channel: &str,
        list: ArchivedList,
        known: Option<&ThreadsSeen>,
    ) -> Result<Vec<Channel>, StopReason> {
        let clients = self.clients.clone();
        let mut found: Vec<Channel> = Vec::new();
        let mut before: Option<String> = None;
        loop {
            let page = clients
                .discord
                .archived_threads(channel, list, before.as_deref());
            let page = match unless_stopped(&clients, &self.job, page).await? {
                // The channel was deleted, or a permission was taken away, since it was
                // listed.
                Err(Error::NotFound { .. } | Error::Forbidden { .. }) => return Ok(found),
                answer => checked(&clients, answer).await?,
            };
            self.came_back();
            let length = page.threads.len();
            let is_new = |thread: &Channel| !known.is_some_and(|known| known.knows(list, thread));
            let last = page.threads.last().and_then(|last| list.cursor(last));
            let before_page = found.len();
            found.extend(page.threads.into_iter().take_while(is_new));
            let is_known = found.len() - before_page < length;
            // A server that ignores the cursor would answer the same page for ever.
            let is_stuck = last.is_none() || last == before;
            if !page.has_more || is_known || is_stuck || found.len() >= MOST_OF_LIST {
                return Ok(found);
            }
            before = last;
            if page.wait > LONGEST_PAUSE {
                return Err(StopReason::Later(with_jitter(page.wait)));
            }
            let pause = clients.clock.sleep(page.wait);
            unless_stopped(&clients, &self.job, pause).await?;
        }
    }

    /// Discord has answered.
    fn came_back(&mut self) {
        self.waiting = OutageWait::default();
        self.waiting.remember(&self.job);
    }
}
