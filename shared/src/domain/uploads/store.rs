//! Reads and writes uploads.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Keys, scripts};
use crate::jobs::ScanOptions;
use crate::json::to_json;
use crate::redis::commands::hashes::{Hashes as _, hset};
use crate::redis::commands::keys::expire;
use crate::redis::commands::{Keys as _, hashes};
use crate::redis::{Error, Pipeline, Prefix, Redis};

/// How long a session lasts.
pub const LIFE: Duration = Duration::from_secs(15 * 60);

/// How long the parts of a finished upload are kept for its job. A file waits no longer than
/// this for a drainer.
const KEEP: Duration = Duration::from_secs(86_400);

/// The bytes of each part but the last. In base64 a part is smaller than the largest body. A
/// file of 64 MB has 512 parts, and is in base64 smaller than a record may be.
pub const PART: u64 = 128 * 1024;

/// What is uploaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The id of the guild that the file is of.
    pub guild_id: String,
    pub size_bytes: u64,
    pub part_bytes: u64,
    #[serde(default)]
    pub options: ScanOptions,
    /// Whether all parts are there, and a job reads them.
    #[serde(default)]
    pub finished: bool,
}

impl Session {
    /// The number of parts.
    pub fn parts(&self) -> u32 {
        let parts = self.size_bytes.div_ceil(self.part_bytes.max(1));
        u32::try_from(parts).unwrap_or(u32::MAX)
    }
}

/// The result of storing a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredPart {
    Yes,
    /// There is no such upload, or it has expired.
    Missing,
    /// The upload is finished.
    Finished,
    /// The part must have this length, in bytes. 0 if there is no such part.
    Wrong(u64),
}

/// The result of finishing an upload.
#[derive(Clone, Debug, PartialEq)]
pub enum Finished {
    Yes(Session),
    /// There is no such upload, or it has expired.
    Missing,
    /// These parts are not there yet, at most twenty of them.
    Lacks(Vec<u32>),
}

/// All uploads.
#[derive(Clone)]
pub struct Uploads {
    redis: Redis,
    keys: Keys,
}

impl Uploads {
    pub fn new(redis: Redis, prefix: &str) -> Uploads {
        Uploads {
            redis,
            keys: Keys(Prefix::new(prefix)),
        }
    }

    /// The same uploads with another client, such as one scoped to a request.
    pub fn on(&self, redis: &Redis) -> Uploads {
        Uploads {
            redis: redis.clone(),
            keys: self.keys.clone(),
        }
    }

    /// Begins an upload. Two commands.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn begin(&self, upload_id: &str, session: &Session) -> Result<(), Error> {
        let key = self.keys.upload(upload_id);
        let mut pipeline = Pipeline::new();
        let stored = pipeline.add(hset(&key, &[("session", &to_json(session))]));
        let expires = pipeline.add(expire(&key, LIFE));
        let mut replies = pipeline.send(&*self.redis).await?;
        replies.take(stored)?;
        replies.take(expires)?;
        Ok(())
    }

    /// Stores a part of an upload. A part that is sent again replaces the one before.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn part(
        &self,
        upload_id: &str,
        number: u32,
        bytes: &[u8],
    ) -> Result<StoredPart, Error> {
        let key = self.keys.upload(upload_id);
        let text = STANDARD.encode(bytes);
        let (word, expected) = scripts::part(&self.redis, &key, number, text, bytes.len()).await?;
        Ok(match word.as_str() {
            "stored" => StoredPart::Yes,
            "finished" => StoredPart::Finished,
            "wrong" => StoredPart::Wrong(expected),
            _ => StoredPart::Missing,
        })
    }

    /// The session of an upload, and the numbers of the parts that are there.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn session(&self, upload_id: &str) -> Result<Option<(Session, Vec<u32>)>, Error> {
        let key = self.keys.upload(upload_id);
        let mut pipeline = Pipeline::new();
        let session = pipeline.add(hashes::hget(&key, "session"));
        let fields = pipeline.add(hashes::hkeys(&key));
        let mut replies = pipeline.send(&*self.redis).await?;
        let session = replies.take(session)?;
        let Some(session) = session.and_then(|text| serde_json::from_str(&text).ok()) else {
            return Ok(None);
        };
        let fields = replies.take(fields)?;
        let mut parts: Vec<u32> = fields.iter().filter_map(|name| name.parse().ok()).collect();
        parts.sort_unstable();
        Ok(Some((session, parts)))
    }

    /// Finishes an upload whose parts are all there.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn finish(&self, upload_id: &str) -> Result<Finished, Error> {
        let key = self.keys.upload(upload_id);
        let (word, detail) = scripts::finish(&self.redis, &key, KEEP.as_millis()).await?;
        Ok(match word.as_str() {
            "finished" => match serde_json::from_str(&detail) {
                Ok(session) => Finished::Yes(session),
                Err(_) => Finished::Missing,
            },
            "lacks" => {
                let numbers = detail.split(',');
                Finished::Lacks(numbers.filter_map(|number| number.parse().ok()).collect())
            }
            _ => Finished::Missing,
        })
    }

    /// The bytes of a part. `None` if the upload has expired.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn read_part(&self, upload_id: &str, number: u32) -> Result<Option<Vec<u8>>, Error> {
        let key = self.keys.upload(upload_id);
        let text = self.redis.hget(&key, &number.to_string()).await?;
        Ok(text.and_then(|text| STANDARD.decode(text).ok()))
    }

    /// Lets an upload expire that was read. It stays for a while, because the job that read it
    /// may run once more.
    ///
    /// # Errors
    /// If Redis cannot be reached.
    pub async fn let_go(&self, upload_id: &str) -> Result<(), Error> {
        self.redis
            .expire(&self.keys.upload(upload_id), LIFE)
            .await?;
        Ok(())
    }
}
