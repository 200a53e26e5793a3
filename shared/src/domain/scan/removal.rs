//! Removes clips from the list because a person deleted them.
//!
//! A removed row leaves a mark, so that the clip is never listed again, whatever is read
//! later. One call does a bounded amount of work, however many clips there are; the next
//! call does the rest.

use super::ScanStore;
use super::scripts::{self, RemoveRequest};
use crate::discord::MessageId;
use crate::redis::Error;
use crate::redis::commands::sorted_sets::{Range, SortedSets as _};

/// Rows per step, and steps per call.
const STEP: u64 = 500;
const STEPS: u32 = 4;

/// Selects clips of a guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClipsOf {
    /// All clips of this channel.
    Channel(String),
    /// The clips of a message, or one of them. Message IDs are unique across Discord; on
    /// servers where they are not, the channel is needed.
    Message {
        /// The message.
        id: MessageId,
        /// A single clip of it. `None` means all.
        clip: Option<String>,
        /// The channel of the message, if it is known.
        channel: Option<String>,
    },
    /// The clips in messages of this user.
    Author(String),
}

/// The result of a removal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Number of removed rows.
    pub clips: u64,
    /// Where to continue; `None` if nothing is left.
    pub next: Option<String>,
}

impl ScanStore {
    /// Removes clips of a guild, starting after the row `from`.
    ///
    /// # Errors
    /// If Redis cannot be reached. What was removed before stays removed.
    pub async fn remove_clips(
        &self,
        guild_id: &str,
        clips: &ClipsOf,
        from: Option<String>,
    ) -> Result<Removed, Error> {
        match clips {
            ClipsOf::Message { id, clip, channel } => {
                let wanted = (channel.as_deref(), *id, clip.as_deref());
                let rows = self.rows_of(guild_id, wanted).await?;
                let clips = self.remove_rows(guild_id, &rows, None).await?;
                Ok(Removed { clips, next: None })
            }
            ClipsOf::Channel(channel) => {
                let ends = (format!("[{channel}:"), format!("({channel};"));
                self.walk(guild_id, ends, from).await
            }
            ClipsOf::Author(author) => self.forget_author(guild_id, author).await,
        }
    }

    async fn walk(
        &self,
        guild_id: &str,
        (begin, end): (String, String),
        from: Option<String>,
    ) -> Result<Removed, Error> {
        let key = self.keys().by_channel(guild_id);
        let mut removed = Removed {
            clips: 0,
            next: from,
        };
        for _ in 0..STEPS {
            let after = removed.next.as_ref().map(|row| format!("({row}"));
            let range = Range::Lex {
                min: after.unwrap_or_else(|| begin.clone()),
                max: end.clone(),
                limit: STEP,
            };
            let rows = self.redis().zrange(&key, range).await?;
            let is_last = (rows.len() as u64) < STEP;
            removed.next = rows.last().cloned().filter(|_| !is_last);
            removed.clips += self.remove_rows(guild_id, &rows, None).await?;
            if is_last {
                break;
            }
        }
        Ok(removed)
    }

    /// Finds the listed rows of a message in any channel by its time, which its ID
    /// contains.
    async fn rows_of(
        &self,
        guild_id: &str,
        (channel, message, clip): (Option<&str>, MessageId, Option<&str>),
    ) -> Result<Vec<String>, Error> {
        let at = message.created_ms() as f64;
        let range = Range::Score {
            min: at,
            max: at,
            offset: 0,
            limit: 10 * STEP,
        };
        let key = self.keys().recent(guild_id);
        let rows = self
            .redis()
            .zrange_reversed_with_scores(&key, range)
            .await?;
        let message = format!("{:0>20}", message.0);
        let is_wanted = |row: &String| {
            let mut parts = row.split(':');
            let (of, at, id) = (parts.next(), parts.next(), parts.next());
            let is = |wanted: Option<&str>, part| wanted.is_none() || wanted == part;
            at == Some(&message) && is(channel, of) && is(clip, id)
        };
        Ok(rows.into_iter().step_by(2).filter(is_wanted).collect())
    }

    /// Removes the clips of an author, and sees to it that no later scan stores any. What
    /// is stored meanwhile is refused, so nothing is left once the index is empty.
    async fn forget_author(&self, guild_id: &str, author: &str) -> Result<Removed, Error> {
        let mut removed = Removed::default();
        let key = self.keys().index(guild_id);
        for step in 0..STEPS {
            let range = Range::Lex {
                min: format!("[a{author}:"),
                max: format!("(a{author};"),
                limit: STEP,
            };
            // The first call also leaves the mark, so it is sent without rows as well.
            let entries = match step {
                0 => {
                    self.remove_rows(guild_id, &[], Some(author)).await?;
                    self.redis().zrange(&key, range).await?
                }
                _ => self.redis().zrange(&key, range).await?,
            };
            let rows: Vec<String> = entries.iter().filter_map(|entry| row_of(entry)).collect();
            removed.clips += self.remove_rows(guild_id, &rows, None).await?;
            if (entries.len() as u64) < STEP {
                return Ok(removed);
            }
        }
        // The removed ones are no longer in the index, so the next call starts over.
        removed.next = Some(FROM_THE_START.to_owned());
        Ok(removed)
    }

    /// Removes rows in order. Rows that are not listed are skipped. Clips of `author` are
    /// not stored from now on.
    async fn remove_rows(
        &self,
        guild_id: &str,
        rows: &[String],
        author: Option<&str>,
    ) -> Result<u64, Error> {
        let message = |row: &String| Some(row.rsplit_once(':')?.0.to_owned());
        let mut ordered: Vec<&str> = rows.iter().map(String::as_str).collect();
        ordered.sort_unstable();
        let ends = rows.iter().min().zip(rows.iter().max());
        let ends = ends.and_then(|(first, last)| message(first).zip(message(last)));
        if ends.is_none() && author.is_none() {
            return Ok(0);
        }
        let (first, last) = ends.unwrap_or_default();
        let keys = self.keys();
        let mut all = keys.of_clips(guild_id);
        all.extend(ordered.iter().map(|row| keys.record(row)));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let (from, to) = (format!("[{first}:"), format!("({last};"));
        let request = RemoveRequest {
            guild: guild_id,
            members: &ordered,
            from: &from,
            to: &to,
            author,
        };
        scripts::remove(self.redis(), &all, &request).await
    }
}

/// Where the removal of an author's clips continues: any row will do.
const FROM_THE_START: &str = "100000000000000:00000100000000000000:100000000000000";

/// The row of an entry of the index.
pub(super) fn row_of(entry: &str) -> Option<String> {
    let mut parts = entry.splitn(4, ':').skip(1);
    let (message, channel, clip) = (parts.next()?, parts.next()?, parts.next()?);
    Some(format!("{channel}:{message}:{clip}"))
}
