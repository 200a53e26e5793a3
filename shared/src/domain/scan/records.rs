//! Loads the records of clips by their rows.

use std::collections::BTreeMap;

use super::{Clip, ClipRecord, ScanStore, Term};
use crate::discord::MessageId;
use crate::redis::commands::hashes::hmget;
use crate::redis::commands::sorted_sets::{Range, SortedSets as _};
use crate::redis::commands::strings::Strings as _;
use crate::redis::{Error, Pipeline};

/// Most messages of a guild that are looked at for one clip.
const MOST_PLACES: u64 = 500;

impl ScanStore {
    /// A clip in a message. One command.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn clip(
        &self,
        channel_id: &str,
        message: MessageId,
        clip_id: &str,
    ) -> Result<Option<Clip>, Error> {
        let row = self.keys().row(channel_id, &message.to_string(), clip_id);
        let mut found = self.clips_of([row.as_str()].into_iter()).await?;
        Ok(found.remove(&row).map(|record| record.clip))
    }

    /// A clip in the newest message of a channel that shows it. Two commands.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn clip_in(
        &self,
        guild_id: &str,
        channel_id: &str,
        clip_id: &str,
    ) -> Result<Option<Clip>, Error> {
        let term = Term::Id(clip_id.to_owned());
        let range = Range::Lex {
            min: format!("[{term}:"),
            max: format!("({term};"),
            limit: MOST_PLACES,
        };
        let entries = self
            .redis()
            .zrange_reversed(&self.keys().index(guild_id), range)
            .await?;
        let rows = entries.iter().filter_map(|entry| {
            let mut parts = entry.rsplitn(4, ':');
            let (clip, channel, message) = (parts.next()?, parts.next()?, parts.next()?);
            (channel == channel_id).then(|| format!("{channel}:{message}:{clip}"))
        });
        let Some(row) = rows.into_iter().next() else {
            return Ok(None);
        };
        let mut found = self.clips_of([row.as_str()].into_iter()).await?;
        Ok(found.remove(&row).map(|record| record.clip))
    }
    /// Loads clips by their rows with one command, and one more for each channel in which
    /// version 0.1 stored some of them.
    pub(super) async fn clips_of<'a>(
        &self,
        rows: impl Iterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, ClipRecord>, Error> {
        let rows: Vec<&str> = rows.collect();
        let mut found = BTreeMap::new();
        if rows.is_empty() {
            return Ok(found);
        }
        let keys: Vec<String> = rows.iter().map(|row| self.keys().record(row)).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let texts = self.redis().mget(&keys).await?;
        let mut lacking: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (row, text) in rows.iter().zip(texts) {
            match text.as_deref().map(ClipRecord::parse) {
                Some(Some(record)) => {
                    found.insert((*row).to_owned(), record);
                }
                Some(None) => {}
                None => {
                    let channel = row.split(':').next().unwrap_or_default();
                    lacking.entry(channel).or_default().push(row);
                }
            }
        }
        if !lacking.is_empty() {
            self.old_clips_of(&lacking, &mut found).await?;
        }
        Ok(found)
    }

    /// Loads clips as version 0.1 stored them.
    async fn old_clips_of(
        &self,
        by_channel: &BTreeMap<&str, Vec<&str>>,
        found: &mut BTreeMap<String, ClipRecord>,
    ) -> Result<(), Error> {
        let mut pipeline = Pipeline::new();
        let mut slots = Vec::with_capacity(by_channel.len());
        for (channel, rows) in by_channel {
            let fields = rows.iter().map(|row| &row[channel.len() + 1..]);
            // The earliest versions stored a clip under its ID alone.
            let ids = rows.iter().map(|row| row.rsplit(':').next().unwrap_or(row));
            let fields: Vec<&str> = fields.chain(ids).collect();
            let read = hmget(&self.keys().old_records(channel), &fields);
            slots.push((rows, pipeline.add(read)));
        }
        let mut replies = pipeline.send(&**self.redis()).await?;
        for (rows, slot) in slots {
            let texts = replies.take(slot)?;
            let (by_field, by_id) = texts.split_at(rows.len());
            for ((row, first), second) in rows.iter().zip(by_field).zip(by_id) {
                let texts = first.iter().chain(second);
                let mut records = texts.filter_map(|text| ClipRecord::parse_old(text));
                let message = row.split(':').nth(1).unwrap_or_default();
                let message = message.trim_start_matches('0');
                if let Some(record) = records.find(|record| record.clip.message_id == message) {
                    found.insert((*row).to_owned(), record);
                }
            }
        }
        Ok(())
    }
}
