//! Saves a page of messages with one script: its clips, the record that says it was read,
//! and the events about it.
//!
//! It must be one step, because the record must never claim more than the clips show. A
//! worker that died between two writes would lose the clips of a page for good.

use super::scripts::{
    SaveClip, SaveCount, SaveField, SaveKeys, SavePace, SaveRequest, add_save, key_of,
};
use super::{Channel, Clip, ClipSource, SavedPage, ScanStore};
use crate::discord::MessageId;
use crate::json::to_json;
use crate::redis::{CountPlace, HashField, Pipeline, RawCommand, Slot};

/// Holds the result of [`ScanStore::add_page`].
pub type PageSlot = Slot<SavedPage>;

/// A range of a channel from one message to another, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub low: MessageId,
    pub high: MessageId,
}

/// The pace shared by all jobs: a field with the time until which it is used up.
#[derive(Clone, Copy, Debug)]
pub struct Pace<'a> {
    pub field: &'a str,
    pub now: i64,
    /// Milliseconds of it that the requests for this page use.
    pub spent: u64,
}

/// A page to save.
#[derive(Clone, Debug, Default)]
pub struct PageSave<'a> {
    pub guild_id: &'a str,
    pub channel_id: &'a str,
    pub job_id: &'a str,
    /// The record after the page, with a revision one higher than before. `None` for
    /// single messages, which move no cursor.
    pub record: Option<&'a Channel>,
    /// For single messages, the clips that the job found before. Otherwise the record
    /// knows.
    pub found: u64,
    pub clips: &'a [Clip],
    /// The ranges that were read. Rows in them that are not among the clips are removed.
    pub stretches: &'a [Stretch],
    /// Whether the ranges may contain rows. If nothing was read before, the script does
    /// not look for any.
    pub may_have_rows: bool,
    /// If set, only these messages of the ranges were read.
    pub only: Option<Vec<MessageId>>,
    /// Messages that exist but could not be parsed. Their rows are kept.
    pub unreadable: &'a [MessageId],
    /// The job's progress, a field of the queue. `"@found"` in its value is replaced with
    /// the number of clips found so far, as in `events`.
    pub progress: Option<HashField>,
    /// Further fields of the same hash whose values are returned.
    pub watch: Vec<String>,
    pub pace: Option<Pace<'a>>,
    /// Commands that append the events of the page, in order. The word `@clips` is
    /// replaced with the new clips and `@removed` with the removed ones. If there are
    /// none, the command is skipped.
    pub events: &'a [RawCommand],
    /// Where to count the clips found since the last call.
    pub count: Option<Vec<CountPlace>>,
}

impl ScanStore {
    /// Adds the saving of a page to a pipeline. Writes nothing if the writer no longer
    /// owns the record.
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
