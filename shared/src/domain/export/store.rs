//! Writes, reads and removes the parts of exports.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::Keys;
use crate::redis::commands::keys::del;
use crate::redis::commands::strings::{SetOptions, get, set};
use crate::redis::{Error, Pipeline, Prefix, Redis};

/// How long a part is kept: a day.
pub const EXPORT_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Most parts that one command removes.
const AT_ONCE: usize = 500;

/// The parts of all exports.
#[derive(Clone)]
pub struct ExportStore {
    redis: Redis,
    keys: Keys,
}

/// Which parts belong to a file. Parts are numbered from 0 across all runs of its job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportParts {
    /// How many parts the file has.
    pub parts: u64,
    /// The size of the file in bytes.
    #[serde(rename = "sizeBytes")]
    pub bytes: u64,
    /// How many clips are in it.
    pub clips: u64,
    /// The runs that wrote the parts: the fence of each and the number of its last part
    /// plus one, in order.
    #[schemars(with = "Vec<[u64; 2]>")]
    runs: Vec<(u64, u64)>,
    /// When the first part was written, in unix milliseconds.
    began_at: Option<i64>,
}

impl ExportParts {
    /// Adds a part that the run with this fence wrote. Returns its number.
    pub fn add(&mut self, fence: u64, bytes: u64, clips: u64, now_ms: i64) -> u64 {
        let n = self.parts;
        self.parts += 1;
        self.bytes += bytes;
        self.clips += clips;
        self.began_at.get_or_insert(now_ms);
        match self.runs.last_mut() {
            Some((last, end)) if *last == fence => *end = self.parts,
            _ => self.runs.push((fence, self.parts)),
        }
        n
    }

    /// When the first part expires, in unix milliseconds. `None` if there is no part.
    pub fn expires_at(&self) -> Option<i64> {
        let life = EXPORT_LIFE.as_millis() as i64;
        self.began_at.map(|at| at.saturating_add(life))
    }

    /// The fence of the run that wrote a part, if the file has this part.
    fn fence_of(&self, n: u64) -> Option<u64> {
        let mut runs = self.runs.iter();
        runs.find(|(_, end)| n < *end).map(|(fence, _)| *fence)
    }
}

impl ExportStore {
    pub fn new(redis: Redis, prefix: &str) -> ExportStore {
        ExportStore {
            redis,
            keys: Keys(Prefix::new(prefix)),
        }
    }

    /// The same store with another client, such as one scoped to a request.
    pub fn on(&self, redis: &Redis) -> ExportStore {
        ExportStore {
            redis: redis.clone(),
            keys: self.keys.clone(),
        }
    }

    /// Adds the write of a part to a pipeline. A part that is written again is replaced.
    pub fn add_write(&self, pipeline: &mut Pipeline, id: &str, fence: u64, n: u64, text: &str) {
        let key = self.keys.part(id, fence, n);
        pipeline.add(set(&key, text, SetOptions::new().expires_in(EXPORT_LIFE)));
    }

    /// A part of a file. `None` if the file has no such part, or it has expired. One
    /// command, or none.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn read(
        &self,
        id: &str,
        parts: &ExportParts,
        n: u64,
    ) -> Result<Option<String>, Error> {
        match parts.fence_of(n) {
            Some(fence) => {
                let key = self.keys.part(id, fence, n);
                get(&key).send(&*self.redis).await
            }
            None => Ok(None),
        }
    }

    /// Removes all parts of a file: one command for up to 500 parts.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn remove(&self, id: &str, parts: &ExportParts) -> Result<(), Error> {
        let numbered = (0..parts.parts).filter_map(|n| Some((parts.fence_of(n)?, n)));
        let keys: Vec<String> = numbered
            .map(|(fence, n)| self.keys.part(id, fence, n))
            .collect();
        for keys in keys.chunks(AT_ONCE) {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            del(&keys).send(&*self.redis).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_belongs_to_the_run_that_wrote_it() {
        let mut parts = ExportParts::default();
        assert_eq!(parts.expires_at(), None);
        for (n, fence) in [1, 1, 4, 4, 4, 9].into_iter().enumerate() {
            assert_eq!(parts.add(fence, 10, 2, 5 + n as i64), n as u64);
        }
        let fences: Vec<Option<u64>> = (0..7).map(|n| parts.fence_of(n)).collect();
        let expected = [1, 1, 4, 4, 4, 9].map(Some);
        assert_eq!(fences, [&expected[..], &[None]].concat());
        assert_eq!((parts.parts, parts.bytes, parts.clips), (6, 60, 12));
        assert_eq!(parts.expires_at(), Some(5 + 86_400_000));
    }
}
