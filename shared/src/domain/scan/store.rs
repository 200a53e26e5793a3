//! Reading and writing the domain's records.

use super::scripts;
use super::{Breaker, Channel, Clip, GuildSettings, Keys, Owner};
use crate::redis::commands::hashes::Hashes as _;
use crate::redis::commands::sorted_sets::zscore;
use crate::redis::{Error, FromReply as _, Pipeline, Prefix, Redis, Reply};

/// Channels and clips of all guilds.
#[derive(Clone)]
pub struct ScanStore {
    redis: Redis,
    keys: Keys,
}

/// What came of taking a channel.
#[derive(Debug)]
pub enum Taken {
    /// With the settings of its guild, and why Discord was left alone before.
    Yes(Box<Channel>, GuildSettings, Breaker),
    /// The job's last page was saved, and the job not told.
    Done(Box<Channel>),
    /// Another job has it, until this unix millisecond unless it goes on.
    Busy { until: i64 },
    /// A later attempt of the same job has it.
    Lost,
    /// Discord is left alone until this unix millisecond.
    Paused { until: i64, breaker: Breaker },
    /// This channel is.
    Slow { until: i64 },
}

impl ScanStore {
    pub fn new(redis: Redis, prefix: &str) -> ScanStore {
        ScanStore {
            redis,
            keys: Keys(Prefix::new(prefix)),
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

    /// Makes `owner` the owner of a channel and reads its guild's settings, unless Discord
    /// is to be left alone by those with the token of the mark `token`, or the channel's
    /// next page is not to be asked for by `latest`.
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
        token: &str,
    ) -> Result<Taken, Error> {
        let keys = [
            self.keys.channels(guild_id),
            self.keys.breaker(),
            self.keys.settings(guild_id),
        ];
        let (word, detail, settings, breaker) = scripts::take(
            &self.redis,
            &[&keys[0], &keys[1], &keys[2]],
            channel_id,
            now,
            owner,
            latest,
            token,
        )
        .await?;
        match word.as_str() {
            "taken" => {
                let settings = GuildSettings::parse(Some(&settings));
                Ok(Taken::Yes(
                    record(detail)?,
                    settings,
                    Breaker::parse(&breaker),
                ))
            }
            "done" => Ok(Taken::Done(record(detail)?)),
            "busy" => Ok(Taken::Busy {
                until: i64::from_reply(detail)?,
            }),
            "paused" => Ok(Taken::Paused {
                until: i64::from_reply(detail)?,
                breaker: Breaker::parse(&breaker),
            }),
            "slow" => Ok(Taken::Slow {
                until: i64::from_reply(detail)?,
            }),
            _ => Ok(Taken::Lost),
        }
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

    /// Every clip of a channel that is listed, in no order.
    ///
    /// # Errors
    /// When Redis cannot be asked. A clip that cannot be read is left out.
    pub async fn clips(&self, channel_id: &str) -> Result<Vec<Clip>, Error> {
        let stored = self.redis.hgetall(&self.keys.clips(channel_id)).await?;
        let stored: Vec<Clip> = stored
            .values()
            .filter_map(|text| serde_json::from_str(text).ok())
            .collect();
        let mut pipeline = Pipeline::new();
        let slots: Vec<_> = stored
            .iter()
            .map(|clip| {
                let row = self.keys.row(channel_id, &clip.message_id, &clip.id);
                pipeline.add(zscore(&self.keys.by_channel(&clip.guild_id), &row))
            })
            .collect();
        if slots.is_empty() {
            return Ok(stored);
        }
        let mut replies = pipeline.send(&*self.redis).await?;
        let mut listed = Vec::with_capacity(stored.len());
        for (clip, slot) in stored.into_iter().zip(slots) {
            if replies.take(slot)?.is_some() {
                listed.push(clip);
            }
        }
        Ok(listed)
    }
}

fn record(reply: Reply) -> Result<Box<Channel>, Error> {
    serde_json::from_str(&String::from_reply(reply)?)
        .map_err(|error| Error::Malformed(format!("a channel's record: {error}")))
}
