//! The plan of a guild scan: one entry for each channel and thread, with its job and, once
//! that has ended, with its result; or with the reason why it is left out.
//!
//! The plan is stored before its jobs are, and the ids of the jobs are derived from it. So a
//! guild scan that is interrupted anywhere stores each job once.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ScanStatus, ScanStore};
use crate::discord::{ArchivedList, Channel as Thread};
use crate::guild::ChannelKind;
use crate::json::to_json;
use crate::redis::commands::hashes::{Hashes as _, hgetall, hset};
use crate::redis::commands::keys::expire;
use crate::redis::{Error, Pipeline, Slot};

/// How long a plan is kept. A guild scan may take weeks, and a failed one can be retried for
/// a week.
pub const PLAN_LIFE: Duration = Duration::from_secs(30 * 86_400);

/// The field of a plan that is no channel.
const HEAD: &str = "#";

/// How far a guild scan is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The channels are known; archived threads are still asked for.
    #[default]
    Listing,
    /// Everything is listed; the jobs are being stored.
    Storing,
    /// All jobs are stored.
    Following,
    /// All jobs have ended, or were cancelled with the guild scan.
    Ended,
}

/// What concerns the plan as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlanHead {
    pub phase: Phase,
    /// When it was made, in Unix milliseconds.
    pub planned_at: i64,
    /// How often the guild scan was retried.
    pub round: u32,
    /// Channels whose archived threads are still to be asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unlisted: Vec<Unlisted>,
    /// Threads that are left out because there are too many.
    #[serde(skip_serializing_if = "is_zero")]
    pub too_many: u64,
    /// Channels that are left out because nothing was posted in them.
    #[serde(skip_serializing_if = "is_zero")]
    pub unchanged: u64,
    /// How far the archived threads of a channel were listed. It is kept for later guild
    /// scans once all threads of the channel were read.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<String, ThreadsSeen>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A channel whose archived threads are still to be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unlisted {
    pub id: String,
    /// The lists to ask for.
    pub lists: Vec<ArchivedList>,
}

/// How far the archived threads of a channel are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ThreadsSeen {
    /// When they were listed, in Unix milliseconds.
    pub at: i64,
    /// The time of archiving of the public thread that was archived last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// The same of private threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<String>,
    /// The id of the newest private thread that the bot was added to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined: Option<String>,
}

impl ThreadsSeen {
    /// Whether a thread of a list is known already, and with it all that follow.
    pub fn knows(&self, list: ArchivedList, thread: &Thread) -> bool {
        let (Some(known), Some(cursor)) = (self.of(list), list.cursor(thread)) else {
            return false;
        };
        match list {
            ArchivedList::Joined => number(&cursor) <= number(known),
            _ => match (time(&cursor), time(known)) {
                (Some(cursor), Some(known)) => cursor <= known,
                _ => false,
            },
        }
    }

    fn of(&self, list: ArchivedList) -> Option<&str> {
        match list {
            ArchivedList::Public => self.public.as_deref(),
            ArchivedList::Private => self.private.as_deref(),
            ArchivedList::Joined => self.joined.as_deref(),
        }
    }

    /// Notes the first thread of a list.
    pub fn note(&mut self, list: ArchivedList, first: &Thread) {
        let cursor = list.cursor(first);
        match list {
            ArchivedList::Public => self.public = cursor,
            ArchivedList::Private => self.private = cursor,
            ArchivedList::Joined => self.joined = cursor,
        }
    }
}

fn number(id: &str) -> u64 {
    id.parse().unwrap_or(0)
}

fn time(text: &str) -> Option<chrono::DateTime<chrono::FixedOffset>> {
    chrono::DateTime::parse_from_rfc3339(text).ok()
}

/// A channel of a guild scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub kind: ChannelKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Its job. `None` if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Whether the job is one that somebody else requested before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Whether the job was stored before this round.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stored: bool,
    /// How the job ended. `None` until it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ScanStatus>,
    /// Why it is left out, or why it failed, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// What the ended job did.
    #[serde(default)]
    pub messages_scanned: u64,
    #[serde(default)]
    pub clips_found: u64,
}

impl Planned {
    /// Whether its job has not ended yet, as far as the plan knows.
    pub fn is_unfinished(&self) -> bool {
        self.job.is_some() && self.status.is_none()
    }
}

/// A guild scan's plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub head: PlanHead,
    /// By channel id.
    pub channels: BTreeMap<String, Planned>,
}

impl Plan {
    /// The ids of the channels whose jobs have not ended.
    pub fn unfinished(&self) -> Vec<String> {
        let unfinished = self.channels.iter();
        let unfinished = unfinished.filter(|(_, planned)| planned.is_unfinished());
        unfinished.map(|(id, _)| id.clone()).collect()
    }
}

impl ScanStore {
    /// Adds a command that reads the plan of a guild scan, for [`ScanStore::read_plan`].
    pub fn add_plan(
        &self,
        pipeline: &mut Pipeline,
        scan_id: &str,
    ) -> Slot<BTreeMap<String, String>> {
        pipeline.add(hgetall(&self.keys().plan(scan_id)))
    }

    /// Parses a plan. `None` if it was not made yet, or has expired. An entry that cannot be
    /// read is left out.
    pub fn read_plan(fields: BTreeMap<String, String>) -> Option<Plan> {
        let head = serde_json::from_str(fields.get(HEAD)?).ok()?;
        let channels = fields.into_iter().filter(|(id, _)| id != HEAD);
        let channels =
            channels.filter_map(|(id, text)| Some((id, serde_json::from_str(&text).ok()?)));
        Some(Plan {
            head,
            channels: channels.collect(),
        })
    }

    /// Reads the plan of a guild scan, with one command.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn plan(&self, scan_id: &str) -> Result<Option<Plan>, Error> {
        let fields = self.redis().hgetall(&self.keys().plan(scan_id)).await?;
        Ok(ScanStore::read_plan(fields))
    }

    /// Stores the head of a plan and some of its channels, with one command; two if the plan
    /// is new.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn save_plan(
        &self,
        scan_id: &str,
        plan: &Plan,
        changed: &[String],
        is_new: bool,
    ) -> Result<(), Error> {
        let key = self.keys().plan(scan_id);
        let changed = changed.iter();
        let channels = changed.filter_map(|id| Some((id.as_str(), plan.channels.get(id)?)));
        let mut fields: Vec<(&str, String)> = channels
            .map(|(id, planned)| (id, to_json(planned)))
            .collect();
        fields.push((HEAD, to_json(&plan.head)));
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let mut pipeline = Pipeline::new();
        let stored = pipeline.add(hset(&key, &fields));
        if is_new {
            pipeline.add(expire(&key, PLAN_LIFE));
        }
        pipeline.send(&**self.redis()).await?.take(stored)?;
        Ok(())
    }

    /// How far the archived threads of a guild's channels are known, by channel.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn threads_seen(
        &self,
        guild_id: &str,
    ) -> Result<BTreeMap<String, ThreadsSeen>, Error> {
        let stored = self.redis().hgetall(&self.keys().threads(guild_id)).await?;
        let read = stored.into_iter();
        let read = read.filter_map(|(id, text)| Some((id, serde_json::from_str(&text).ok()?)));
        Ok(read.collect())
    }

    /// Stores how far the archived threads of some channels are known.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn save_threads_seen(
        &self,
        guild_id: &str,
        seen: &BTreeMap<String, ThreadsSeen>,
    ) -> Result<(), Error> {
        if seen.is_empty() {
            return Ok(());
        }
        let fields = seen.iter().map(|(id, seen)| (id.as_str(), to_json(seen)));
        let fields: Vec<(&str, String)> = fields.collect();
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.redis()
            .hset(&self.keys().threads(guild_id), &fields)
            .await?;
        Ok(())
    }

    /// The records of some channels of a guild, as they are stored, with one command.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn records_of(
        &self,
        guild_id: &str,
        channel_ids: &[&str],
    ) -> Result<Vec<Option<super::Channel>>, Error> {
        if channel_ids.is_empty() {
            return Ok(Vec::new());
        }
        let key = self.keys().channels(guild_id);
        let texts = self.redis().hmget(&key, channel_ids).await?;
        let texts = texts.into_iter();
        Ok(texts
            .map(|text| serde_json::from_str(text?.as_str()).ok())
            .collect())
    }
}
