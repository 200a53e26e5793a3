//! Lists the clips of a guild or a channel, newest first, page by page.

use std::collections::BTreeMap;

use super::{Clip, ClipRecord, ScanStore};
use crate::discord::MessageId;
use crate::redis::commands::hashes::hmget;
use crate::redis::commands::sorted_sets::{Range, SortedSets as _};
use crate::redis::commands::strings::Strings as _;
use crate::redis::{Error, Pipeline};

/// If several clips of one millisecond meet the end of a page, this many more are read. A
/// message has far fewer clips.
const TIES: u64 = 64;

/// With a filter on fields that only the clip itself has, this many times more rows are
/// read.
const LOOK_AHEAD: u64 = 5;

/// Selects the clips to list.
#[derive(Clone, Debug, Default)]
pub struct ClipQuery {
    /// Only this channel.
    pub channel_id: Option<String>,
    /// Posted after this time, in Unix milliseconds.
    pub after: Option<i64>,
    /// Posted before this time, in Unix milliseconds.
    pub before: Option<i64>,
    /// Clips declared shorter are excluded. Clips of unknown length are included unless
    /// `known_length` is set.
    pub min_seconds: Option<f64>,
    /// Excludes clips of unknown length.
    pub known_length: bool,
    /// Where an earlier page ended.
    pub cursor: Option<ClipCursor>,
    /// Maximum number of clips.
    pub limit: u64,
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipCursor {
    posted_at: i64,
    member: String,
}

impl ClipCursor {
    /// Parses a cursor that a listing returned.
    pub fn parse(text: &str) -> Option<ClipCursor> {
        let (posted_at, member) = text.split_once(':')?;
        let is_part = |part: &str| {
            (1..=64).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let parts = member.split(':');
        (parts.clone().count() == 3 && parts.into_iter().all(is_part)).then_some(())?;
        Some(ClipCursor {
            posted_at: posted_at.parse().ok()?,
            member: member.to_owned(),
        })
    }
}

impl std::fmt::Display for ClipCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.posted_at, self.member)
    }
}

impl ScanStore {
    /// Returns a page of clips and the cursor of the next page, in two requests. A page
    /// may have fewer clips than requested, or none, although more follow; only a page
    /// without a cursor is the last.
    ///
    /// # Errors
    /// If Redis cannot be reached. A clip that cannot be parsed is skipped.
    pub async fn list_clips(
        &self,
        guild_id: &str,
        query: &ClipQuery,
    ) -> Result<(Vec<Clip>, Option<ClipCursor>), Error> {
        let wanted = match query.min_seconds.is_some() || query.known_length {
            true => query.limit * LOOK_AHEAD,
            false => query.limit,
        };
        let (places, more) = match &query.channel_id {
            Some(channel) => self.of_channel(guild_id, channel, query, wanted).await?,
            None => self.of_guild(guild_id, query, wanted).await?,
        };
        let mut found = self.clips_at(&places).await?;
        let (mut clips, mut last) = (Vec::new(), None);
        for (n, place) in places.iter().enumerate() {
            if clips.len() as u64 == query.limit {
                break;
            }
            last = Some(n);
            let long_enough = |clip: &Clip| match (query.min_seconds, clip.duration_seconds) {
                (Some(least), Some(seconds)) => seconds >= least,
                (_, None) => !query.known_length,
                (None, _) => true,
            };
            clips.extend(found.remove(&place.member).filter(long_enough));
        }
        let ends_here = last.is_none_or(|last| last + 1 == places.len()) && !more;
        let cursor = last.map(|last| places[last].clone());
        Ok((clips, cursor.filter(|_| !ends_here)))
    }

    /// Lists by time of posting.
    async fn of_guild(
        &self,
        guild_id: &str,
        query: &ClipQuery,
        wanted: u64,
    ) -> Result<(Vec<ClipCursor>, bool), Error> {
        let before = query.before.map(|before| before.saturating_sub(1));
        let from = query.cursor.as_ref().map(|cursor| cursor.posted_at);
        let max = match (before, from) {
            (Some(before), Some(from)) => Some(before.min(from)),
            (before, from) => before.or(from),
        };
        // Requests one more than is shown, to find out whether there is another page.
        let asked = wanted + 1 + if query.cursor.is_some() { TIES } else { 0 };
        let range = Range::Score {
            min: query.after.map_or(f64::NEG_INFINITY, |at| at as f64 + 1.0),
            max: max.map_or(f64::INFINITY, |at| at as f64),
            offset: 0,
            limit: asked,
        };
        let key = self.keys().recent(guild_id);
        let words = self
            .redis()
            .zrange_reversed_with_scores(&key, range)
            .await?;
        let more = words.len() as u64 / 2 == asked;
        let is_new = |place: &ClipCursor| {
            query.cursor.as_ref().is_none_or(|cursor| {
                (place.posted_at, &place.member) < (cursor.posted_at, &cursor.member)
            })
        };
        let mut places: Vec<ClipCursor> = words
            .chunks_exact(2)
            .filter_map(|pair| {
                Some(ClipCursor {
                    posted_at: pair[1].parse::<f64>().ok()? as i64,
                    member: pair[0].clone(),
                })
            })
            .filter(is_new)
            .collect();
        let cut = places.len() as u64 > wanted;
        places.truncate(wanted as usize);
        Ok((places, more || cut))
    }

    /// Lists by message ID, which is also the order of time.
    async fn of_channel(
        &self,
        guild_id: &str,
        channel_id: &str,
        query: &ClipQuery,
        wanted: u64,
    ) -> Result<(Vec<ClipCursor>, bool), Error> {
        let first_at = |ms: i64| format!("{channel_id}:{:0>20}", MessageId::at(ms).0);
        let min = match query.after {
            Some(after) => format!("[{}", first_at(after.saturating_add(1))),
            None => format!("[{channel_id}:"),
        };
        let end = match query.before {
            Some(before) => first_at(before),
            // The byte after the colon.
            None => format!("{channel_id};"),
        };
        let end = match &query.cursor {
            Some(cursor) if cursor.member < end => cursor.member.clone(),
            _ => end,
        };
        let range = Range::Lex {
            min,
            max: format!("({end}"),
            limit: wanted + 1,
        };
        let key = self.keys().by_channel(guild_id);
        let mut members = self.redis().zrange_reversed(&key, range).await?;
        let more = members.len() as u64 > wanted;
        members.truncate(wanted as usize);
        let place = |member: String| ClipCursor {
            posted_at: 0,
            member,
        };
        Ok((members.into_iter().map(place).collect(), more))
    }

    async fn clips_at(&self, places: &[ClipCursor]) -> Result<BTreeMap<String, Clip>, Error> {
        let rows = places.iter().map(|place| place.member.as_str());
        let found = self.clips_of(rows).await?.into_iter();
        Ok(found.map(|(row, record)| (row, record.clip)).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_it_writes_and_nothing_else() {
        let text = "1795219200000:1200000000000000001:00001200000000000002:e0a1";
        assert_eq!(ClipCursor::parse(text).unwrap().to_string(), text);
        for text in [
            "",
            "5",
            "5:a:b",
            "x:a:b:c",
            "5:a::c",
            "5:a:b:c:d",
            "5:a:b:*",
        ] {
            assert_eq!(ClipCursor::parse(text), None, "{text}");
        }
    }
}
