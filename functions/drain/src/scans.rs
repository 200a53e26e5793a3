//! Scans that come another way than over HTTP, noted so that their channels are listed
//! while they wait.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use shared::jobs::{ChannelScan, JobKind};
use shared::queue::{JobId, NewJob};
use shared::scan::{Noted, ScanStore};
use shared::telemetry;

/// Those of one look, by their guild.
#[derive(Default)]
pub struct Scans {
    found: Mutex<BTreeMap<String, Vec<Noted>>>,
}

impl Scans {
    /// Adds the scan a job is, if it is one; its job, where that is known.
    pub fn add(&self, job: &NewJob, id: Option<&JobId>) {
        if !JobKind::named(&job.kind).is_some_and(|kind| kind.is_scan) {
            return;
        }
        let Ok(scan) = serde_json::from_str::<ChannelScan>(&job.args) else {
            return;
        };
        let noted = Noted {
            channel_id: scan.channel_id,
            job_id: id.map(JobId::to_string),
        };
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.entry(scan.guild_id).or_default().push(noted);
    }

    /// Notes them. A failure is logged: the channels are then listed once their scans
    /// begin.
    pub async fn note(self, store: &ScanStore, now: i64) {
        let found = self.found.into_inner();
        for (guild, scans) in found.unwrap_or_else(PoisonError::into_inner) {
            if let Err(error) = store.note(&guild, &scans, now).await {
                let error = telemetry::chain(&error);
                tracing::warn!(error, "channels were not noted");
            }
        }
    }
}
