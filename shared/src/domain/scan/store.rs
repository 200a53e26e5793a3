//! Reads and writes the records of the domain.

use serde_json::json;

use super::scripts;
use super::{Channel, Clip, Keys};
use crate::redis::commands::hashes::{Hashes as _, hsetnx};
use crate::redis::commands::sorted_sets::{Range, SortedSets as _};
use crate::redis::{Error, FromReply as _, Prefix, Redis, Repeat, Reply};

/// The channels and clips of all guilds.
#[derive(Clone)]
pub struct ScanStore {
    redis: Redis,
    keys: Keys,
}

/// Maximum number of channels per script call.
const AT_ONCE: usize = 500;

/// A requested scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub channel_id: String,
    /// Its job, if it is known.
    pub job_id: Option<String>,
    /// Its name, if it is known.
    pub name: Option<String>,
    /// For a thread, the channel it is in, if it is known.
    pub parent_id: Option<String>,
}

impl Noted {
    /// A record that names only its job, whose state determines the status of the scan.
    fn record(&self, now: i64) -> String {
        let owner = self
            .job_id
            .as_ref()
            .map(|job| json!({ "job": job, "fence": 0, "until": 0 }));
        let mut record = json!({ "revision": 0, "owner": owner, "updatedAt": now });
        if let Some(name) = &self.name {
            record["channelName"] = name.as_str().into();
        }
        if let Some(parent) = &self.parent_id {
            record["parentId"] = parent.as_str().into();
        }
        record.to_string()
    }
}

impl ScanStore {
    pub fn new(redis: Redis, prefix: &str) -> ScanStore {
        ScanStore {
            redis,
            keys: Keys(Prefix::new(prefix)),
        }
    }

    /// The same store with another client, such as one scoped to a request.
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

    /// Creates records for channels that have none yet. One command for one channel, two
    /// or three for more.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn note(&self, guild_id: &str, scans: &[Noted], now: i64) -> Result<(), Error> {
        let key = self.keys().channels(guild_id);
        if let [scan] = scans {
            let mut command = hsetnx(&key, &scan.channel_id, &scan.record(now));
            // HSETNX returns another value when it is sent twice, but nobody reads it.
            command.raw.repeat = Repeat::Safe;
            command.send(&**self.redis()).await?;
            return Ok(());
        }
        for part in scans.chunks(AT_ONCE) {
            let args: Vec<String> = part
                .iter()
                .flat_map(|scan| [scan.channel_id.clone(), scan.record(now)])
                .collect();
            scripts::note(self.redis(), &key, &args).await?;
        }
        Ok(())
    }

    /// The record of a channel, if it was ever scanned.
    ///
    /// # Errors
    /// If Redis cannot be reached or the record cannot be parsed.
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

    /// All listed clips of a channel, in order, in two commands.
    ///
    /// # Errors
    /// If Redis cannot be reached. A clip that cannot be parsed is skipped.
    pub async fn clips(&self, guild_id: &str, channel_id: &str) -> Result<Vec<Clip>, Error> {
        let range = Range::Lex {
            min: format!("[{channel_id}:"),
            max: format!("({channel_id};"),
            limit: u64::from(u32::MAX),
        };
        let rows = self
            .redis
            .zrange(&self.keys.by_channel(guild_id), range)
            .await?;
        let found = self.clips_of(rows.iter().map(String::as_str)).await?;
        Ok(found.into_values().map(|record| record.clip).collect())
    }
}

/// Parses a stored record.
pub(super) fn record(reply: Reply) -> Result<Box<Channel>, Error> {
    serde_json::from_str(&String::from_reply(reply)?)
        .map_err(|error| Error::Malformed(format!("a channel's record: {error}")))
}
