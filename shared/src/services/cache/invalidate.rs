//! Removes values before they expire.

use super::entry::EPOCH_LIFE;
use super::{Cache, Entry, GUILD, SETTINGS};
use crate::redis::commands::keys::{del, scan};
use crate::redis::commands::strings::{SetOptions, set};
use crate::redis::{Error, Pipeline};

/// The number of keys that one SCAN looks at.
const BATCH: u32 = 500;

impl Cache {
    /// Invalidates one value. If a load is in progress, its result is not stored.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn invalidate<T>(&self, entry: &Entry<T>) -> Result<(), Error> {
        let key = self.keys.value(entry.kind.name, &entry.id);
        self.ask(del(&[&key])).await?;
        Ok(())
    }

    /// Adds the invalidation of one value to a pipeline.
    pub fn add_invalidation<T>(&self, pipeline: &mut Pipeline, entry: &Entry<T>) {
        let key = self.keys.value(entry.kind.name, &entry.id);
        pipeline.add(del(&[&key]));
    }

    /// Invalidates a guild, its settings and all its channels together. It takes two
    /// commands in one request, however many channels are cached.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn invalidate_guild(&self, guild_id: &str) -> Result<(), Error> {
        let [guild, settings] =
            [&GUILD, &SETTINGS].map(|kind| self.keys.value(kind.name, guild_id));
        let epoch = format!("{:016x}", fastrand::u64(..));
        let mut pipeline = Pipeline::new();
        let new_epoch = pipeline.add(set(
            &self.keys.epoch(guild_id),
            &epoch,
            SetOptions::new().expires_in(EPOCH_LIFE),
        ));
        let removed = pipeline.add(del(&[&guild, &settings]));
        let mut replies = self.send(pipeline).await?;
        replies.take(new_epoch)?;
        replies.take(removed)?;
        Ok(())
    }

    /// Removes every value whose key, after `cache:`, matches `pattern` (in the syntax of
    /// Redis' `MATCH`, such as `channel:*`). Works in batches and returns how many values
    /// it removed. Meant for people, because it looks at every key of the database.
    ///
    /// # Errors
    /// Redis could not be reached. Some values may have been removed by then.
    pub async fn invalidate_matching(&self, pattern: &str) -> Result<u64, Error> {
        let pattern = self.keys.matching(pattern);
        let (mut cursor, mut removed) = ("0".to_owned(), 0);
        let mut found: Vec<String> = Vec::new();
        loop {
            // The request that asks for the next page also removes the keys of this one.
            let mut pipeline = Pipeline::new();
            let page = pipeline.add(scan(&cursor, &pattern, BATCH));
            let gone = (!found.is_empty()).then(|| {
                let keys: Vec<&str> = found.iter().map(String::as_str).collect();
                pipeline.add(del(&keys))
            });
            let mut replies = self.send(pipeline).await?;
            if let Some(gone) = gone {
                removed += replies.take(gone)?;
            }
            (cursor, found) = replies.take(page)?;
            if cursor == "0" {
                break;
            }
        }
        if !found.is_empty() {
            let keys: Vec<&str> = found.iter().map(String::as_str).collect();
            removed += self.ask(del(&keys)).await?;
        }
        Ok(removed)
    }
}
