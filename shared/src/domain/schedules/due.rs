//! A slot that has begun, and what is to be done for it.

use super::{ScheduleName, ScheduledScan};
use crate::discord::MessageId;
use crate::jobs::{ChannelFilter, ChannelScan, GuildScan, ScanMode};
use crate::queue::{self, JobId, NewJob, OnUnique};
use crate::scan::{Channel, ScanStatus};

/// How long after its posting a message may still change by itself: Discord adds previews of
/// links a little later. A scan that ended within this time reads the message once more.
const SETTLES_MS: i64 = 120_000;

/// A slot of a schedule that has begun.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    pub name: ScheduleName,
    /// The schedule with its revision, as it is stored.
    pub member: String,
    /// When the slot began, in unix milliseconds.
    pub slot: i64,
    pub schedule: ScheduledScan,
}

impl Due {
    /// Whether this is the schedule's first slot since somebody set it.
    pub fn is_first(&self) -> bool {
        let begun = self.schedule.updated_at;
        self.schedule.timing.next(begun, begun) == Some(self.slot)
    }

    /// The id of the slot's job for a channel, which is the same for all drainers.
    fn job_id(&self, channel_id: &str) -> JobId {
        let of = format!("schedule:{}\n{channel_id}", self.name.text());
        JobId::derived(self.slot, &of)
    }

    /// The slot's job for a channel: a forward scan, unless one is unfinished.
    ///
    /// # Errors
    /// If the arguments cannot be serialised.
    pub fn scan_of(&self, channel_id: &str) -> Result<NewJob, queue::Error> {
        let scan = ChannelScan {
            guild_id: self.name.guild_id.clone(),
            channel_id: channel_id.to_owned(),
            scan_mode: Some(ScanMode::Forward),
            options: self.schedule.options.clone(),
            scheduled: true,
            ..ChannelScan::default()
        };
        let mut job = scan.into_job(self.job_id(channel_id))?;
        job.on_unique = OnUnique::Keep;
        Ok(job)
    }

    /// The arguments of a guild scan of what the schedule belongs to: of the guild, or of a
    /// channel with its threads.
    pub fn guild_scan(&self) -> GuildScan {
        GuildScan {
            scan_mode: Some(ScanMode::Forward),
            channels: ChannelFilter {
                include: self.name.channel_id.iter().cloned().collect(),
                exclude: Vec::new(),
            },
            options: self.schedule.options.clone(),
            scheduled: true,
            ..GuildScan::new(&self.name.guild_id)
        }
    }

    /// The slot's job for that, unless the last one is unfinished. A guild scan that a person
    /// requests meanwhile is no duplicate, because it leaves out nothing.
    ///
    /// # Errors
    /// If the arguments cannot be serialised.
    pub fn guild_job(&self) -> Result<NewJob, queue::Error> {
        let mut job = self.guild_scan().into_job(self.job_id("guild"))?;
        job.unique = Some(format!("schedule:{}", self.name.text()));
        job.on_unique = OnUnique::Keep;
        Ok(job)
    }
}

/// How long a channel whose scan failed is left alone by the schedule of its guild, unless
/// something of it was read before.
const FAILED_MS: i64 = 86_400_000;

/// Whether a channel is one that the bot most likely cannot read: its scan failed within a
/// day, and nothing of it was ever read.
pub fn is_hopeless(record: Option<&Channel>, now: i64) -> bool {
    record.is_some_and(|record| {
        record.status == Some(ScanStatus::Failed)
            && record.forward_message_id.is_none()
            && now - record.updated_at < FAILED_MS
    })
}

/// Whether a forward scan of a channel would find anything, given its record and its newest
/// message.
pub fn has_news(record: Option<&Channel>, newest: Option<MessageId>, is_limited: bool) -> bool {
    let Some(record) = record else {
        return true;
    };
    let Some(newest) = newest else {
        // Nothing was ever posted.
        return false;
    };
    let Some(read) = record.forward_message_id else {
        return true;
    };
    let is_unfinished = !record.backfill_done && !is_limited;
    let may_have_changed = record.updated_at < newest.created_ms() + SETTLES_MS;
    newest > read || is_unfinished || may_have_changed
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: MessageId = MessageId(1_456_074_443_980_800_000);

    fn record(change: impl FnOnce(&mut Channel)) -> Channel {
        let text = r#"{"revision": 1, "status": "SUCCEEDED", "backfillDone": true}"#;
        let mut record: Channel = serde_json::from_str(text).unwrap();
        record.forward_message_id = Some(NEWEST);
        record.updated_at = NEWEST.created_ms() + SETTLES_MS;
        change(&mut record);
        record
    }

    #[test]
    fn a_channel_has_news_if_a_scan_may_find_something() {
        let news = |record: &Channel| has_news(Some(record), Some(NEWEST), false);
        assert!(!news(&record(|_| ())));
        assert!(news(&record(|r| {
            r.forward_message_id = Some(MessageId(NEWEST.0 - 1));
        })));
        assert!(news(&record(|r| r.updated_at -= 1)), "a late preview");
        assert!(news(&record(|r| r.backfill_done = false)));
        assert!(news(&record(|r| r.forward_message_id = None)));
        assert!(has_news(None, Some(NEWEST), false) && has_news(None, None, false));
        // A message that was deleted meanwhile.
        let ahead = record(|r| r.forward_message_id = Some(MessageId(NEWEST.0 + 9)));
        assert!(!news(&ahead));
        let limited = record(|r| r.backfill_done = false);
        assert!(!has_news(Some(&limited), Some(NEWEST), true));
        assert!(
            !has_news(Some(&record(|_| ())), None, false),
            "an empty channel"
        );
    }
}
