//! Reads and writes several values in one request.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::stored::{Found, Look};
use super::{Cache, Entry};
use crate::redis::commands::strings::mget_bytes;
use crate::redis::{Error, Pipeline};

/// Values that were read together.
pub struct Batch<T> {
    entries: Vec<Entry<T>>,
    looks: Vec<Look<T>>,
}

impl<T> Batch<T> {
    /// The value at this position: `None` if nothing is known, `Some(None)` if the value is
    /// known not to exist.
    pub fn value(&self, place: usize) -> Option<Option<&T>> {
        match &self.looks.get(place)?.found {
            Found::Fresh(value) | Found::Stale(value) => Some(value.as_ref()),
            Found::Nothing => None,
        }
    }

    /// The positions of entries of which nothing is known.
    pub fn missing(&self) -> Vec<usize> {
        (0..self.looks.len())
            .filter(|place| self.value(*place).is_none())
            .collect()
    }
}

impl Cache {
    /// Reads several values, fresh or stale, in one command.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn get_many<T: DeserializeOwned>(
        &self,
        entries: Vec<Entry<T>>,
    ) -> Result<Batch<T>, Error> {
        let mut looks = Vec::with_capacity(entries.len());
        if !entries.is_empty() {
            let keys: Vec<Vec<String>> = entries.iter().map(|e| e.keys(&self.keys)).collect();
            let words: Vec<&str> = keys.iter().flatten().map(String::as_str).collect();
            let now = self.clock.now_ms();
            let mut found = self.ask(mget_bytes(&words)).await?.into_iter();
            for keys in &keys {
                let raw = found.next().flatten();
                let epoch = match keys.len() {
                    1 => None,
                    _ => found.next().flatten(),
                };
                let epoch = epoch.map(|epoch| String::from_utf8_lossy(&epoch).into_owned());
                let look = Look::of(raw, epoch, now);
                self.count(&look);
                looks.push(look);
            }
        }
        Ok(Batch { entries, looks })
    }

    /// Stores values for positions of a batch, in one request, with the epochs that were
    /// read with the batch. Unlike [`Cache::get_or_load`], it takes no claim. If a single
    /// value was invalidated in the meantime, but not its parent, the value is stored
    /// anyway.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn set_many<T: Serialize>(
        &self,
        batch: &Batch<T>,
        values: &[(usize, Option<T>)],
    ) -> Result<(), Error> {
        let mut pipeline = Pipeline::new();
        for (place, value) in values {
            let (Some(entry), Some(look)) = (batch.entries.get(*place), batch.looks.get(*place))
            else {
                continue;
            };
            self.add_store(&mut pipeline, entry, value.as_ref(), look.epoch.clone());
        }
        if pipeline.is_empty() {
            return Ok(());
        }
        self.send(pipeline).await?;
        Ok(())
    }
}
