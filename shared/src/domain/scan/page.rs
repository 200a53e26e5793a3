//! Saving a page of messages: its clips, the record that says it was read, and the events
//! about it, by one script.
//!
//! One step, because the record must never say more was read than the clips show: a worker
//! that dies between two writes would lose the clips of a page for good.

use super::scripts::{
    SaveClip, SaveCount, SaveField, SaveKeys, SavePace, SaveRequest, add_save, key_of,
};
use super::{Channel, Clip, ClipSource, SavedPage, ScanStore};
use crate::discord::MessageId;
use crate::json::to_json;
use crate::redis::{CountPlace, HashField, Pipeline, RawCommand, Slot};

/// Where the outcome of [`ScanStore::add_page`] is found.
pub type PageSlot = Slot<SavedPage>;

/// A stretch of a channel, from one message to another, both in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub low: MessageId,
    pub high: MessageId,
}

/// The pace that all jobs share: a field that says until when it is used up.
#[derive(Clone, Copy, Debug)]
pub struct Pace<'a> {
    pub field: &'a str,
    pub now: i64,
    /// Milliseconds that the requests of this page take of it.
    pub spent: u64,
}

/// A page to be saved.
#[derive(Clone, Debug, Default)]
pub struct PageSave<'a> {
    pub guild_id: &'a str,
    pub channel_id: &'a str,
    pub job_id: &'a str,
    /// As it is after the page, with a revision one higher than before; none for single
    /// messages, which move no cursor.
    pub record: Option<&'a Channel>,
    /// Clips the job found before, of single messages; the record knows it otherwise.
    pub found: u64,
    pub clips: &'a [Clip],
    /// What was read: rows in it that are not among the clips are gone.
    pub stretches: &'a [Stretch],
    /// Whether a part of it may have rows. Where nothing was read before, the script does
    /// not look for any.
    pub may_have_rows: bool,
    /// Of the stretches only these messages were read.
    pub only: Option<Vec<MessageId>>,
    /// Messages that were there and could not be read: their rows stay.
    pub unreadable: &'a [MessageId],
    /// The job's progress, a field of the queue's. `"@found"` in its value becomes the
    /// clips found so far, as in `events`.
    pub progress: Option<HashField>,
    /// Fields beside that one whose values are wanted.
    pub watch: Vec<String>,
    pub pace: Option<Pace<'a>>,
    /// Commands that append the events of the page, in their order. A word `@clips` becomes
    /// the new clips, `@removed` those gone; the command is left out when there are none.
    pub events: &'a [RawCommand],
    /// Where the clips found since the last time are counted.
    pub count: Option<Vec<CountPlace>>,
}

impl ScanStore {
    /// Adds the saving of a page to a pipeline. Nothing of it is written when its writer
    /// is not the owner of the record any more.
    pub fn add_page(&self, pipeline: &mut Pipeline, page: &PageSave<'_>) -> PageSlot {
        let (guild, channel) = (page.guild_id, page.channel_id);
        let counts = page.count.as_deref().unwrap_or_default();
        let mut others: Vec<String> = page
            .progress
            .iter()
            .map(|field| field.key.clone())
            .collect();
        let named = page.events.iter().filter_map(key_of);
        for key in named.chain(counts.iter().map(|count| &count.key)) {
            if !others.contains(key) {
                others.push(key.clone());
            }
        }
        let keys = SaveKeys {
            channels: self.keys().channels(guild),
            clips: self.keys().clips(channel),
            recent: self.keys().recent(guild),
            by_channel: self.keys().by_channel(guild),
            forwards: self.keys().forwards(guild),
            others,
        };
        let clips = page.clips.iter().map(|clip| SaveClip {
            id: &clip.id,
            posted: clip.posted_at,
            forward: clip.source == ClipSource::Forward,
            member: self.keys().row(channel, &clip.message_id, &clip.id),
        });
        let stretches = page.stretches.iter().map(|stretch| {
            let from = format!("[{channel}:{:0>20}:", stretch.low.0);
            [from, format!("({channel}:{:0>20};", stretch.high.0)]
        });
        let padded = |ids: &[MessageId]| ids.iter().map(|id| format!("{:0>20}", id.0)).collect();
        let request = SaveRequest {
            channel,
            job: page.job_id,
            record: page.record,
            found: page.found,
            clips: clips.collect(),
            stretches: stretches.collect(),
            again: page.may_have_rows,
            only: page.only.as_deref().map(padded),
            kept: padded(page.unreadable),
            also: page.progress.as_ref().map(|also| SaveField {
                field: &also.field,
                value: &also.value,
            }),
            watch: Some(page.watch.as_slice()).filter(|watch| !watch.is_empty()),
            pace: page.pace.as_ref().map(|pace| SavePace {
                field: pace.field,
                now: pace.now,
                spent: pace.spent,
            }),
            tell: page
                .events
                .iter()
                .map(|command| &command.words[..])
                .collect(),
            count: page.count.as_ref().map(|counts| {
                let counts = counts.iter().map(|count| SaveCount {
                    key: &count.key,
                    place: &count.place,
                    keep: count.keep_ms,
                });
                counts.collect()
            }),
            note: page.record.is_none(),
        };
        let texts = page.clips.iter().map(to_json).collect();
        add_save(pipeline, &keys, &request, texts)
    }
}
