//! The record of a channel: who reads it, how far it has been read, and what was found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::discord::MessageId;

/// Maximum number of jobs whose position a record remembers.
const WORKS_KEPT: usize = 8;

/// How a scan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ScanStatus {
    /// It waits for its turn or for its time.
    Pending,
    /// It is running.
    Running,
    /// It read all it was asked to read.
    Succeeded,
    /// It was given up; `errorMessage` says why.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

/// The attempt that may write the record, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub job: String,
    pub fence: u64,
    /// Unix milliseconds; in the past if nobody owns the record.
    pub until: i64,
}

/// The position of a job. It is stored in the record so that it always agrees with the
/// cursors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Work {
    /// Whether the last page was saved. The queue may not know yet.
    pub done: bool,
    /// Messages listed so far, across all runs, without the overlap.
    pub listed: u64,
    pub clips: u64,
    /// Messages that could not be parsed completely.
    pub unreadable: u64,
    /// Whether nothing in the channel is older than what was read.
    pub reached_start: bool,
    /// Where the next page starts: before this message, or after that one.
    pub before: Option<MessageId>,
    pub after: Option<MessageId>,
    /// A forward scan reads some messages again; up to this one nothing is counted.
    pub seen: Option<MessageId>,
}

/// How far a job is, as it last reported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ScanProgress {
    /// How many messages were read.
    pub current: u64,
    /// How many messages there are to read. `null` where the number is not limited.
    pub total: Option<u64>,
    /// How much is done: a whole number from 0 to 100. `null` until it is known.
    #[serde(deserialize_with = "whole")]
    pub percent: Option<u8>,
    /// How many clips were found that were not known before.
    pub clips_found: u64,
    /// Whether the channel's beginning was reached. `null` for a job that reads single
    /// messages.
    pub reached_start: Option<bool>,
    /// When this was last reported, in unix milliseconds.
    pub updated_at: i64,
}

/// A percentage, also as it was stored once: with decimals.
fn whole<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u8>, D::Error> {
    let percent: Option<f64> = Deserialize::deserialize(from)?;
    Ok(percent.map(|percent| percent.clamp(0.0, 100.0) as u8))
}

/// A channel's record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Increases with every change, so that a change that is sent twice is made once.
    pub revision: u64,
    /// `None` if only single messages of the channel were read.
    #[serde(default)]
    pub status: Option<ScanStatus>,
    #[serde(default)]
    pub owner: Option<Owner>,
    #[serde(default)]
    pub channel_name: Option<String>,
    /// For a thread, the channel it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The newest message that was read.
    #[serde(default)]
    pub forward_message_id: Option<MessageId>,
    /// The oldest message that was read.
    #[serde(default)]
    pub backward_message_id: Option<MessageId>,
    /// Whether nothing is older than the oldest message that was read.
    #[serde(default)]
    pub backfill_done: bool,
    /// Messages with clips. The script that saves a page maintains it.
    #[serde(default)]
    pub message_count: u64,
    /// Messages listed, counted once per job.
    #[serde(default)]
    pub total_messages_scanned: u64,
    #[serde(default)]
    pub error_message: Option<String>,
    /// The earliest time for the next page, in Unix milliseconds.
    #[serde(default)]
    pub next_page_at: i64,
    /// Clips found but not added to the counters yet. The script that saves a page
    /// maintains it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uncounted: u64,
    /// Whether clips were stored for messages outside the cursors.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strays: bool,
    /// The position of each unfinished job, by job ID.
    #[serde(default)]
    pub works: BTreeMap<String, Work>,
    #[serde(default)]
    pub updated_at: i64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A range of messages that was read without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// Starts after this message …
    pub above: u64,
    /// … and ends before this one.
    pub below: u64,
    /// The lowest and the highest message in it.
    pub range: Option<(MessageId, MessageId)>,
    /// Whether nothing is older.
    pub from_start: bool,
}

impl Channel {
    /// Extends the cursors by `covered` if it adjoins what was read before, so that a gap
    /// never counts as read. Returns whether it does.
    pub fn cover(&mut self, covered: &Covered) -> bool {
        let touches = match (self.backward_message_id, self.forward_message_id) {
            (Some(oldest), Some(newest)) => covered.above <= newest.0 && covered.below >= oldest.0,
            _ => true,
        };
        // The messages in between were never read. Moving the cursor past them would hide
        // them for good.
        if !touches {
            return false;
        }
        if let Some((low, high)) = covered.range {
            let oldest = self.backward_message_id.map_or(low, |id| id.min(low));
            let newest = self.forward_message_id.map_or(high, |id| id.max(high));
            self.backward_message_id = Some(oldest);
            self.forward_message_id = Some(newest);
        }
        // An empty channel will start with the next message that is posted.
        self.backfill_done |= covered.from_start && self.backward_message_id.is_some();
        true
    }

    /// Whether nothing is older than what was read, which is also true for an empty
    /// channel.
    pub fn reached_start(&self, ended: bool) -> bool {
        self.backfill_done || (ended && self.backward_message_id.is_none())
    }

    /// Whether messages in this range may have been read before.
    pub fn knows_of(&self, low: MessageId, high: MessageId) -> bool {
        let read = self.backward_message_id.zip(self.forward_message_id);
        self.strays || read.is_some_and(|(oldest, newest)| low <= newest && high >= oldest)
    }

    /// Stores a job's position and drops the positions of jobs that never came back.
    pub fn set_work(&mut self, job: &str, work: Work) {
        self.works.insert(job.to_owned(), work);
        while self.works.len() > WORKS_KEPT {
            // IDs sort by time, so the first is the oldest. Finished jobs are dropped
            // first.
            let others = || self.works.iter().filter(|(id, _)| *id != job);
            let oldest_done = others().find(|(_, work)| work.done);
            let Some((id, _)) = oldest_done.or_else(|| others().next()) else {
                break;
            };
            let id = id.clone();
            self.works.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(oldest: u64, newest: u64) -> Channel {
        Channel {
            revision: 0,
            status: Some(ScanStatus::Running),
            owner: None,
            channel_name: None,
            parent_id: None,
            forward_message_id: Some(MessageId(newest)),
            backward_message_id: Some(MessageId(oldest)),
            backfill_done: false,
            message_count: 0,
            total_messages_scanned: 0,
            error_message: None,
            next_page_at: 0,
            uncounted: 0,
            strays: false,
            works: BTreeMap::new(),
            updated_at: 0,
        }
    }

    fn covered(above: u64, below: u64) -> Covered {
        let range = Some((MessageId(above + 1), MessageId(below - 1)));
        Covered {
            above,
            below,
            range,
            from_start: false,
        }
    }

    fn cursors(channel: &Channel) -> (u64, u64) {
        let id = |id: Option<MessageId>| id.map_or(0, |id| id.0);
        (
            id(channel.backward_message_id),
            id(channel.forward_message_id),
        )
    }

    #[test]
    fn cursors_move_over_what_touches_them_and_never_over_a_gap() {
        let mut known = channel(100, 200);
        known.cover(&covered(50, 100));
        assert_eq!(cursors(&known), (51, 200));
        known.cover(&covered(200, 300));
        assert_eq!(cursors(&known), (51, 299));
        known.cover(&covered(10, 30));
        known.cover(&covered(400, 500));
        assert_eq!(cursors(&known), (51, 299));
    }

    #[test]
    fn a_first_page_sets_both_cursors() {
        let mut fresh = channel(0, 0);
        (fresh.backward_message_id, fresh.forward_message_id) = (None, None);
        fresh.cover(&covered(10, 30));
        assert_eq!(cursors(&fresh), (11, 29));
    }
}
