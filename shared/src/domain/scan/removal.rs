//! Taking clips off the list because a person wants them gone.
//!
//! Their rows leave a mark: whatever is read later, they are not listed again. So much is
//! done at once as is bounded, however many clips there are; what is left is for the next
//! call.

use super::ScanStore;
use super::scripts::{self, RemoveRequest};
use crate::discord::MessageId;
use crate::redis::Error;
use crate::redis::commands::sorted_sets::{Range, SortedSets as _};

/// Rows looked at in one step, and steps of one call.
const STEP: u64 = 500;
const STEPS: u32 = 4;

/// Which clips of a guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClipsOf {
    /// All of this channel's.
    Channel(String),
    /// A message's, or one of them. Ids of messages differ in all of Discord; where they
    /// do not, the channel says which is meant.
    Message {
        /// The message.
        id: MessageId,
        /// One clip of it; all without.
        clip: Option<String>,
        /// The channel it is in, if that is known.
        channel: Option<String>,
    },
    /// Of messages this user wrote.
    Author(String),
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Rows that were removed.
    pub clips: u64,
    /// Where to go on; none when nothing is left.
    pub next: Option<String>,
}

impl ScanStore {
    /// Removes clips of a guild, beginning after the row `from`.
    ///
    /// # Errors
    /// When Redis cannot be asked; what was removed stays removed.
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
                let clips = self.remove_rows(guild_id, &rows).await?;
                Ok(Removed { clips, next: None })
            }
            ClipsOf::Channel(channel) => {
                let ends = (format!("[{channel}:"), format!("({channel};"));
                self.walk(guild_id, ends, None, from).await
            }
            // Of all channels: their rows begin with digits.
            ClipsOf::Author(author) => {
                let ends = ("[0".to_owned(), "(:".to_owned());
                self.walk(guild_id, ends, Some(author), from).await
            }
        }
    }

    async fn walk(
        &self,
        guild_id: &str,
        (begin, end): (String, String),
        author: Option<&String>,
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
            let rows = match author {
                Some(author) => self.by_author(rows, author).await?,
                None => rows,
            };
            removed.clips += self.remove_rows(guild_id, &rows).await?;
            if is_last {
                break;
            }
        }
        Ok(removed)
    }

    /// The listed rows of a message, wherever that is: its id contains its time.
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

    async fn by_author(&self, rows: Vec<String>, author: &str) -> Result<Vec<String>, Error> {
        let clips = self.clips_of(rows.iter().map(String::as_str)).await?;
        let is_authors = |row: &String| {
            let clip = clips.get(row);
            clip.is_some_and(|clip| clip.author_id.as_deref() == Some(author))
        };
        Ok(rows.into_iter().filter(is_authors).collect())
    }

    /// Rows in their order; those that are not listed are left out.
    async fn remove_rows(&self, guild_id: &str, rows: &[String]) -> Result<u64, Error> {
        let message = |row: &String| Some(row.rsplit_once(':')?.0.to_owned());
        let mut ordered: Vec<&str> = rows.iter().map(String::as_str).collect();
        ordered.sort_unstable();
        let ends = rows.iter().min().zip(rows.iter().max());
        let ends = ends.and_then(|(first, last)| message(first).zip(message(last)));
        let Some((first, last)) = ends else {
            return Ok(0);
        };
        let channels = ordered.iter().filter_map(|row| row.split(':').next());
        let mut channels: Vec<&str> = channels.collect();
        channels.dedup();
        let keys = self.keys();
        let mut all = vec![
            keys.channels(guild_id),
            keys.recent(guild_id),
            keys.by_channel(guild_id),
        ];
        all.extend(channels.iter().map(|channel| keys.clips(channel)));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let (from, to) = (format!("[{first}:"), format!("({last};"));
        let request = RemoveRequest {
            channels: &channels,
            members: &ordered,
            from: &from,
            to: &to,
        };
        scripts::remove(self.redis(), &all, &request).await
    }
}
