//! Making values go before their time.

use super::entry::EPOCH_LIFE;
use super::{Cache, Entry, GUILD, SETTINGS};
use crate::redis::commands::keys::{del, scan};
use crate::redis::commands::strings::{SetOptions, set};
use crate::redis::{Error, Pipeline};

/// Keys one SCAN looks at.
const BATCH: u32 = 500;

impl Cache {
    /// Makes one value go. What is being loaded is not stored.
    ///
    /// # Errors
    /// When Redis cannot be reached.
    pub async fn invalidate<T>(&self, entry: &Entry<T>) -> Result<(), Error> {
        let key = self.keys.value(entry.kind.name, &entry.id);
        self.ask(del(&[&key])).await?;
        Ok(())
    }

    /// Adds that to a pipeline.
    pub fn add_invalidation<T>(&self, pipeline: &mut Pipeline, entry: &Entry<T>) {
        let key = self.keys.value(entry.kind.name, &entry.id);
        pipeline.add(del(&[&key]));
    }

    /// Makes a guild, its settings and all its channels go together: two commands in
    /// one request, however many channels are cached.
    ///
    /// # Errors
    /// When Redis cannot be reached.
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

    /// Removes every value whose key below `cache:` has the form of `pattern` (as
    /// Redis' own `MATCH`, such as `channel:*`), in batches; answers how many. For people:
    /// it looks at every key of the database.
    ///
    /// # Errors
    /// When Redis cannot be reached; some may be removed by then.
    pub async fn invalidate_matching(&self, pattern: &str) -> Result<u64, Error> {
        let pattern = self.keys.matching(pattern);
        let (mut cursor, mut removed) = ("0".to_owned(), 0);
        let mut found: Vec<String> = Vec::new();
        loop {
            // The keys of a page are removed by the request that asks for the next.
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
