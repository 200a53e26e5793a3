//! Channels whose first scan was asked for: they have a record from then on, so that they
//! are listed with the others of their guild while it waits.

use serde_json::json;

use super::{ScanStore, scripts};
use crate::redis::commands::hashes::hsetnx;
use crate::redis::{Error, Repeat};

/// The most channels of one script.
const AT_ONCE: usize = 500;

/// A scan that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub channel_id: String,
    /// Its job, where that is known.
    pub job_id: Option<String>,
}

impl Noted {
    /// A record that says nothing but whose job it is, so that the job tells how the scan
    /// stands.
    fn record(&self, now: i64) -> String {
        let owner = self
            .job_id
            .as_ref()
            .map(|job| json!({ "job": job, "fence": 0, "until": 0 }));
        json!({ "revision": 0, "owner": owner, "updatedAt": now }).to_string()
    }
}

impl ScanStore {
    /// Notes channels that have no record yet; one command for one, two or three for
    /// more.
    ///
    /// # Errors
    /// When Redis cannot be told.
    pub async fn note(&self, guild_id: &str, scans: &[Noted], now: i64) -> Result<(), Error> {
        let key = self.keys().channels(guild_id);
        if let [scan] = scans {
            let mut command = hsetnx(&key, &scan.channel_id, &scan.record(now));
            // Nobody looks at the reply.
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
}
