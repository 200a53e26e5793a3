//! The kind `notice`: sends what there is to tell to a guild's webhook.

use serde::{Deserialize, Serialize};

use super::JobKind;
use crate::queue::{self, JobId, NewJob};

/// The kind, which no request names.
pub(super) static NOTICE: JobKind = JobKind {
    name: SendNotice::KIND,
    reads: &[],
    is_scan: false,
};

/// The arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SendNotice {
    /// The id of the guild.
    pub guild_id: String,
}

impl SendNotice {
    pub const KIND: &'static str = "notice";

    /// Builds the job that follows a scan. It has the same id whenever it is built. Only one
    /// job of a guild runs at a time.
    ///
    /// # Errors
    /// If the arguments cannot be serialised.
    pub fn after(self, scan: &JobId) -> Result<NewJob, queue::Error> {
        let id = JobId::derived(scan.created_ms(), &format!("notice:{scan}"));
        let mut job = NewJob::new(id, Self::KIND, &self)?;
        job.group = Some(format!("notice:{}", self.guild_id));
        // An address that does not answer is tried for about a day.
        job.max_attempts = Some(10);
        job.backoff = queue::Backoff::Custom {
            waits_ms: vec![60_000, 300_000, 900_000, 3_600_000, 7_200_000, 14_400_000],
        };
        Ok(job)
    }
}
