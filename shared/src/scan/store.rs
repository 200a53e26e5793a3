//! Reading and writing the domain's records.

use std::sync::Arc;
use std::time::Duration;

use super::scripts::{self, SaveClip, SaveField, SaveKeys, SaveRequest, add_save};
use super::{Channel, Clip, ClipSource, GuildSettings, Keys, Owner};
use crate::redis::commands::hashes::Hashes as _;
use crate::redis::commands::strings::Strings as _;
use crate::redis::{Error, FromReply as _, HashField, Pipeline, Redis, Replies, Reply, Slot};

/// The most clips one script saves, which bounds its run; a page of 100 messages
/// rarely has as many.
const CLIPS_AT_ONCE: usize = 1000;

/// Channels and clips of all guilds.
#[derive(Clone)]
pub struct ScanStore {
    redis: Redis,
    keys: Arc<Keys>,
}

/// What came of taking a channel.
#[derive(Debug)]
pub enum Taken {
    /// With the settings of its guild.
    Yes(Box<Channel>, GuildSettings),
    /// The job's last page was saved, and the job not told.
    Done(Box<Channel>),
    /// Another job has it, until this unix millisecond unless it goes on.
    Busy { until: i64 },
    /// A later attempt of the same job has it.
    Lost,
    /// Discord, or this channel, is left alone until this unix millisecond.
    Paused { until: i64 },
}

/// What came of saving a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    Yes,
    /// It was saved before; nothing was counted again.
    Duplicate,
    /// Another attempt owns the channel: nothing was saved.
    Lost,
}

/// Where the outcome of [`ScanStore::add_page`] is found.
pub type PageSlot = Slot<(String, u64, u64)>;

impl ScanStore {
    pub fn new(redis: Redis, prefix: &str) -> ScanStore {
        ScanStore {
            redis,
            keys: Arc::new(Keys::new(prefix)),
        }
    }

    /// The same store through another handle, such as one scoped to a request.
    pub fn on(&self, redis: &Redis) -> ScanStore {
        ScanStore {
            redis: redis.clone(),
            keys: self.keys.clone(),
        }
    }

    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(super) fn redis(&self) -> &Redis {
        &self.redis
    }

    /// Makes `owner` the owner of a channel and reads its guild's settings, unless Discord is to be left alone or the
    /// channel's next page is not to be asked for by `latest`.
    ///
    /// # Errors
    /// When Redis cannot be asked, or the record cannot be read.
    pub async fn take(
        &self,
        guild_id: &str,
        channel_id: &str,
        owner: &Owner,
        now: i64,
        latest: i64,
    ) -> Result<Taken, Error> {
        let keys = [
            self.keys.channels(guild_id),
            self.keys.breaker(),
            self.keys.settings(guild_id),
        ];
        let (word, detail, settings) = scripts::take(
            &self.redis,
            &[&keys[0], &keys[1], &keys[2]],
            channel_id,
            now,
            owner,
            latest,
        )
        .await?;
        match word.as_str() {
            "taken" => {
                let settings = GuildSettings::parse(Some(&settings));
                Ok(Taken::Yes(record(detail)?, settings))
            }
            "done" => Ok(Taken::Done(record(detail)?)),
            "busy" => Ok(Taken::Busy {
                until: i64::from_reply(detail)?,
            }),
            "paused" => Ok(Taken::Paused {
                until: i64::from_reply(detail)?,
            }),
            _ => Ok(Taken::Lost),
        }
    }

    /// Adds the saving of a page to a pipeline: its clips, and `record` as it is
    /// after them, with a revision one higher than before. `also` is written with it, and
    /// as little as it when its writer is not the owner any more.
    pub fn add_page(
        &self,
        pipeline: &mut Pipeline,
        guild_id: &str,
        channel_id: &str,
        record: Option<&Channel>,
        clips: &[Clip],
        also: Option<&HashField>,
    ) -> PageSlot {
        // What one script cannot take goes before, without the record, so that the
        // record never says more was read than was saved.
        let (before, clips) = clips.split_at(clips.len().saturating_sub(CLIPS_AT_ONCE));
        for part in before.chunks(CLIPS_AT_ONCE) {
            self.add_part(pipeline, guild_id, channel_id, None, part, None);
        }
        self.add_part(pipeline, guild_id, channel_id, record, clips, also)
    }

    fn add_part(
        &self,
        pipeline: &mut Pipeline,
        guild_id: &str,
        channel_id: &str,
        record: Option<&Channel>,
        clips: &[Clip],
        also: Option<&HashField>,
    ) -> PageSlot {
        let keys = SaveKeys {
            channels: self.keys.channels(guild_id),
            clips: self.keys.clips(channel_id),
            recent: self.keys.recent(guild_id),
            by_channel: self.keys.by_channel(guild_id),
            also: also.map(|also| also.key.clone()),
        };
        let request = SaveRequest {
            channel: channel_id,
            record,
            clips: clips
                .iter()
                .map(|clip| SaveClip {
                    id: &clip.id,
                    message: &clip.message_id,
                    posted: clip.posted_at,
                    forward: clip.source == ClipSource::Forward,
                    member: format!("{channel_id}:{:0>20}:{}", clip.message_id, clip.id),
                })
                .collect(),
            also: also.map(|also| SaveField {
                field: &also.field,
                value: &also.value,
            }),
        };
        let texts = clips
            .iter()
            .map(|clip| serde_json::to_string(clip).unwrap_or_default())
            .collect();
        add_save(pipeline, &keys, &request, texts)
    }

    /// The outcome of [`ScanStore::add_page`].
    ///
    /// # Errors
    /// The script's failure.
    pub fn read_page(&self, replies: &mut Replies, slot: PageSlot) -> Result<Saved, Error> {
        let (word, _, _) = replies.take(slot)?;
        Ok(match word.as_str() {
            "saved" => Saved::Yes,
            "dup" => Saved::Duplicate,
            _ => Saved::Lost,
        })
    }

    /// Leaves Discord alone for `pause`, in all functions; a second at least.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn pause_discord(&self, now: i64, pause: Duration) -> Result<(), Error> {
        let until = now.saturating_add(pause.as_millis().max(1000) as i64);
        scripts::pause(&self.redis, &self.keys.breaker(), now, until).await
    }

    /// Until when Discord is to be left alone, in unix milliseconds, and the settings of
    /// a guild: one command.
    ///
    /// # Errors
    /// When Redis cannot be asked.
    pub async fn outlook(&self, guild_id: &str) -> Result<(Option<i64>, GuildSettings), Error> {
        let keys = [self.keys.breaker(), self.keys.settings(guild_id)];
        let found = self.redis.mget(&[&keys[0], &keys[1]]).await?;
        let text = |n: usize| found.get(n).and_then(Option::as_deref);
        let until = text(0).and_then(|text| text.parse().ok());
        Ok((until, GuildSettings::parse(text(1))))
    }

    /// The record of a channel, if it was ever scanned.
    ///
    /// # Errors
    /// When Redis cannot be asked, or the record cannot be read.
    pub async fn channel(
        &self,
        guild_id: &str,
        channel_id: &str,
    ) -> Result<Option<Channel>, Error> {
        let text = self
            .redis
            .hget(&self.keys.channels(guild_id), channel_id)
            .await?;
        text.map(|text| record(Reply::Bytes(text.into_bytes())).map(|found| *found))
            .transpose()
    }

    /// Every clip of a channel, in no order.
    ///
    /// # Errors
    /// When Redis cannot be asked. A clip that cannot be read is left out.
    pub async fn clips(&self, channel_id: &str) -> Result<Vec<Clip>, Error> {
        let stored = self.redis.hgetall(&self.keys.clips(channel_id)).await?;
        Ok(stored
            .values()
            .filter_map(|text| serde_json::from_str(text).ok())
            .collect())
    }
}

fn record(reply: Reply) -> Result<Box<Channel>, Error> {
    serde_json::from_str(&String::from_reply(reply)?)
        .map_err(|error| Error::Malformed(format!("a channel's record: {error}")))
}
