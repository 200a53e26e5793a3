//! Saves a page of messages with one script: its clips, the record that says it was read,
//! and the events about it.
//!
//! It must be one step, because the record must never claim more than the clips show. A
//! worker that died between two writes would lose the clips of a page for good.

use super::scripts::{SaveClip, SaveCount, SaveField, SavePace, SaveRequest, add_save, key_of};
use super::{Channel, ClipRecord, ClipSource, SavedPage, ScanStore};
use crate::discord::MessageId;
use crate::redis::commands::sorted_sets::{Range, SortedSets as _};
use crate::redis::{CountPlace, Error, HashField, Pipeline, RawCommand, Slot};

/// Maximum number of rows that one call removes.
pub const ROWS_AT_ONCE: usize = 1000;

/// Holds the result of [`ScanStore::add_page`].
pub type PageSlot = Slot<SavedPage>;

/// A range of a channel from one message to another, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub low: MessageId,
    pub high: MessageId,
}

impl Stretch {
    /// The ends of its rows, for a range by name.
    fn ends(&self, channel_id: &str) -> [String; 2] {
        [
            format!("[{channel_id}:{:0>20}:", self.low.0),
            format!("({channel_id}:{:0>20};", self.high.0),
        ]
    }
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
    pub clips: &'a [ClipRecord],
    /// The ranges that were read.
    pub stretches: &'a [Stretch],
    /// The rows in these ranges whose clips no longer exist. They are removed.
    pub stale: &'a [String],
    /// Whether the ranges may contain rows. If nothing was read before, the script does
    /// not look for any.
    pub may_have_rows: bool,
    /// The job's progress, a field of the queue. `"@found"` in its value is replaced with
    /// the number of clips found so far, as in `events`.
    pub progress: Option<HashField>,
    /// Further fields of the same hash whose values are returned.
    pub watch: Vec<String>,
    pub pace: Option<Pace<'a>>,
    /// Commands that append the events of the page, in order. The word `@clips` is
    /// replaced with the new clips and `@removed` with the removed ones. If there are
    /// none, the event is left out.
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
        let clips = page.clips.iter().map(|record| {
            let clip = &record.clip;
            SaveClip {
                id: &clip.id,
                posted: clip.posted_at,
                forward: clip.source == ClipSource::Forward,
                member: self.keys().row(channel, &clip.message_id, &clip.id),
                author: clip.author_id.as_deref(),
                min: record.min_ms,
            }
        });
        let clips: Vec<SaveClip<'_>> = clips.collect();
        let stretches = page.stretches.iter().map(|stretch| stretch.ends(channel));
        let mut keys = self.keys().of_clips(guild);
        let rows = clips.iter().map(|clip| &clip.member).chain(page.stale);
        keys.extend(rows.map(|row| self.keys().record(row)));
        keys.extend(others);
        let request = SaveRequest {
            channel,
            job: page.job_id,
            record: page.record,
            found: page.found,
            clips,
            stretches: stretches.collect(),
            stale: page.stale,
            again: page.may_have_rows,
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
        let records = page.clips.iter().map(ClipRecord::text).collect();
        add_save(pipeline, &keys, &request, records)
    }

    /// The listed rows of a range, in order, and at most [`ROWS_AT_ONCE`].
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn rows_in(
        &self,
        guild_id: &str,
        channel_id: &str,
        stretch: Stretch,
    ) -> Result<Vec<String>, Error> {
        let [min, max] = stretch.ends(channel_id);
        let limit = ROWS_AT_ONCE as u64;
        let key = self.keys().by_channel(guild_id);
        self.redis()
            .zrange(&key, Range::Lex { min, max, limit })
            .await
    }
}
